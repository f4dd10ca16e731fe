"""Run by test_image in a folder laid out like the image: `inside_image.py <package> <locked distribution>…`.

Imports the package and every module below it where nothing can be found but the folder itself, the standard library and the
distributions that are locked, and prints what it imported from where.
"""

import importlib
import json
import pkgutil
import sys
from importlib.metadata import packages_distributions

OURS = ("services", "shared", "deploy")


class Absent:
    """A finder that comes before all others and raises ModuleNotFoundError for modules that the image lacks."""

    def __init__(self, locked: set[str]) -> None:
        self.locked = locked
        self.known = packages_distributions()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        top = name.partition(".")[0]
        standard = top in sys.stdlib_module_names or top.startswith("_sysconfigdata")
        distributions = {d.lower().replace("_", "-") for d in self.known.get(top, ())}
        if not (standard or top in OURS or distributions & self.locked):
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)


def main(package: str, *locked: str) -> None:
    sys.meta_path.insert(0, Absent(set(locked)))
    sys.path.insert(0, "")
    names = [package]
    if below := getattr(importlib.import_module(package), "__path__", None):
        names += [module.name for module in pkgutil.walk_packages(below, f"{package}.")]
    names = [name for name in names if ".migrations" not in name and not name.endswith(".__main__")]
    for name in names:
        importlib.import_module(name)
    files = [module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] in OURS and module.__file__]
    sys.stdout.write(json.dumps({"names": names, "files": files}))


if __name__ == "__main__":
    main(*sys.argv[1:])
