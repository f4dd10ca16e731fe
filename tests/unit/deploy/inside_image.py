"""Run by test_image in a folder laid out like the image: `inside_image.py <service> <locked distribution>…`.

Imports every module of the service where nothing can be found but the folder itself, the standard library and the distributions
that are locked, and prints what it imported from where.
"""

import importlib
import json
import pkgutil
import sys
from importlib.metadata import packages_distributions


class Absent:
    """A finder that stands before all others: what the image would not have can't be found here either."""

    def __init__(self, locked: set[str]) -> None:
        self.locked = locked
        self.known = packages_distributions()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        top = name.partition(".")[0]
        standard = top in sys.stdlib_module_names or top.startswith("_sysconfigdata")
        distributions = {d.lower().replace("_", "-") for d in self.known.get(top, ())}
        if not (standard or top in ("services", "shared") or distributions & self.locked):
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)


def main(service: str, *locked: str) -> None:
    sys.meta_path.insert(0, Absent(set(locked)))  # type: ignore[arg-type]
    sys.path.insert(0, "")
    package = importlib.import_module(f"services.{service}")
    names = [module.name for module in pkgutil.walk_packages(package.__path__, f"services.{service}.")]
    names = [name for name in names if ".migrations" not in name and not name.endswith(".__main__")]
    for name in names:
        importlib.import_module(name)
    files = [m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] in ("services", "shared") and m.__file__]
    sys.stdout.write(json.dumps({"names": names, "files": files}))


if __name__ == "__main__":
    main(*sys.argv[1:])
