"""Run while an image is built: delete the parts of installed packages that no service uses.

Only the packages named here are touched. Their licences (`*.dist-info`) stay.
"""

import shutil
import sysconfig
from pathlib import Path

UNUSED = (
    # Of phonenumbers ingest uses the numbering plans, not the names of places, carriers and time zones.
    "phonenumbers/carrierdata",
    "phonenumbers/geodata",
    "phonenumbers/tzdata",
    # Of plotly the page serves plotly.min.js; the Python code, and narwhals for it, would draw charts on the server.
    "narwhals",
    "plotly/api",
    "plotly/colors",
    "plotly/data",
    "plotly/express",
    "plotly/figure_factory",
    "plotly/graph_objects",
    "plotly/graph_objs",
    "plotly/io",
    "plotly/labextension",
    "plotly/matplotlylib",
    "plotly/offline",
    "plotly/package_data/datasets",
    "plotly/package_data/templates",
    "plotly/package_data/widgetbundle.js",
    "plotly/validators",
    # Of pyarrow the gateway writes Parquet to memory.
    "pyarrow/_flight.*",
    "pyarrow/_s3fs.*",
    "pyarrow/include",
    "pyarrow/libarrow_flight.*",
    "pyarrow/libarrow_python_flight.*",
    "pyarrow/libarrow_s3.*",
    "pyarrow/src",
    "pyarrow/tests",
)
"""Patterns of files and folders in `site-packages`."""


def trim(packages: Path) -> int:
    """Delete what UNUSED matches below `packages`. Returns the number of bytes that this frees."""
    freed = 0
    for pattern in UNUSED:
        for path in sorted(packages.glob(pattern)):
            freed += size(path)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    return freed


def size(path: Path) -> int:
    """The bytes of a file, or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


if __name__ == "__main__":
    print(f"{trim(Path(sysconfig.get_path('purelib'))) / 1_000_000:.0f} MB of unused files deleted")
