"""Engines that run the tabular features: opened and closed, Parquet in and out, memory held.

DuckDB is the default and the only local engine that works with more data than memory. pandas and
polars hold every table; Spark is for where one machine is outgrown. Files are read and written by
the engine itself, pandas' by DuckDB (there is no pyarrow).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import narwhals as nw

from followkit.errors import InputError, suggest
from followkit.scale.frames import Frame

ENGINES = ("duckdb", "pandas", "polars", "spark")
#: Peak bytes a row of the tables that an engine which holds them takes, measured by
#: bench/bench_tabular.py (timed features, the costliest).
BYTES_PER_ROW = {"pandas": 1300, "polars": 800}
#: Of the free memory, what DuckDB may fill; the rest is for what it does not count.
SHARE = 0.6
PART = "part"
MIB = 2**20
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


class Engine(Protocol):
    """What a run needs of an engine."""

    name: str
    version: str

    def read(self, path: Path) -> Frame:
        """Return a Parquet file as a lazy frame."""

    def keep(self, frame: Frame, name: str) -> Frame:
        """Store an interim table and return it, ready to be read more than once."""

    def write(self, frame: Frame, folder: Path) -> None:
        """Write a frame as Parquet, a folder `part=…` for each value of its column `part`."""

    def close(self) -> None:
        """Give everything back."""


@contextmanager
def open_engine(
    name: str, scratch: Path, *, memory: str | int | None = None, threads: int = 2
) -> Iterator[Engine]:
    """Open an engine, and close it whatever happens.

    Parameters
    ----------
    name
        duckdb, pandas, polars or spark.
    scratch
        A folder for interim tables and for what does not fit into memory.
    memory
        What DuckDB, or a Spark session that is started here, may fill: bytes or "4GB". Without
        it DuckDB takes 60 % of the free memory (or of what `ulimit -v` and the container leave).
    threads
        Of DuckDB and of Spark's local mode.

    Raises
    ------
    InputError
        If the engine is unknown or not installed, or when its memory is used up.

    Examples
    --------
    >>> import tempfile
    >>> with open_engine("duckdb", Path(tempfile.mkdtemp())) as engine:
    ...     engine.name
    'duckdb'
    """
    if name not in ENGINES:
        raise InputError(f"engine: {name!r} is unknown; {suggest(name, ENGINES)}")
    limit = parse_bytes(memory) if memory is not None else None
    makers: dict[str, Callable[[Path, int | None, int], Engine]] = {
        "duckdb": DuckDBEngine,
        "pandas": PandasEngine,
        "polars": PolarsEngine,
        "spark": SparkEngine,
    }
    engine = makers[name](scratch, limit, threads)
    try:
        yield engine
    except MemoryError:
        raise InputError(_say_full(name)) from None
    except Exception as error:
        # DuckDB names its own kind of error; nothing else is called so.
        if type(error).__name__ == "OutOfMemoryException":
            raise InputError(f"{_say_full(name)} ({str(error).splitlines()[0]})") from None
        raise
    finally:
        engine.close()


def _say_full(name: str) -> str:
    if name == "duckdb":
        return (
            "engine duckdb: its memory was used up and what was left could not be moved to disk; "
            "give it more with memory, or fewer threads"
        )
    return f"engine {name}: it holds whole tables and memory was used up; use engine duckdb"


def parse_bytes(text: str | int) -> int:
    """Return a number of bytes from a number or words such as "4GB", "512 MiB".

    Raises
    ------
    InputError
        If it is no amount of memory.

    Examples
    --------
    >>> parse_bytes("4GB") == parse_bytes("4096 MiB") == parse_bytes(4 * 2**30)
    True
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", str(text).strip().lower())
    if not found or float(found[1]) <= 0:
        raise InputError(f"memory: {text!r} is no amount of memory; write it like 4GB")
    return int(float(found[1]) * _UNITS[found[2]])


def measure_free_memory() -> int:
    """Return the bytes that this process may still take: free, and within every limit set on it.

    The least of the machine's available memory, what the container allows, and what is left of
    the address space (`ulimit -v`).
    """
    free = [_read_meminfo()]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            free.append(int(Path("/sys/fs/cgroup", name).read_text(encoding="utf-8")))
    with suppress(ImportError, OSError, ValueError):
        # Only where there are such limits.
        import resource

        soft = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
        if soft != resource.RLIM_INFINITY:
            free.append(max(soft - pages * os.sysconf("SC_PAGE_SIZE"), 0))
    return min(free)


def _read_meminfo() -> int:
    with suppress(OSError):
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
        found = re.search(r"^MemAvailable:\s+([0-9]+) kB", text, re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def check_fits(engine: str, rows: int, free: int) -> None:
    """Refuse an engine that holds its tables where they will not fit.

    Parameters
    ----------
    engine, rows
        The engine, and the rows of all tables that it is to read.
    free
        Bytes it may take (`measure_free_memory`).

    Raises
    ------
    InputError
        If it would take more.

    Examples
    --------
    >>> check_fits("pandas", 1_000, 2**30)
    >>> check_fits("pandas", 30_000_000, 8 * 2**30)
    Traceback (most recent call last):
    followkit.errors.InputError: engine pandas holds every table in memory: 30,000,000 rows take ...
    """
    need = rows * BYTES_PER_ROW.get(engine, 0)
    if need > free:
        raise InputError(
            f"engine {engine} holds every table in memory: {rows:,} rows take about "
            f"{need / 2**30:.1f} GB and {free / 2**30:.1f} GB are free; use engine duckdb, which "
            "moves to disk what does not fit"
        )


def connect_duckdb(scratch: Path, memory: int | None, threads: int) -> Any:
    """Return a DuckDB connection that keeps within its memory and loads no extension."""
    import duckdb

    limit = memory or int(measure_free_memory() * SHARE)
    spill = scratch / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    options = {
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
        "threads": threads,
        "memory_limit": f"{max(limit // MIB, 64)}MiB",
        "temp_directory": str(spill),
        "preserve_insertion_order": False,
    }
    database = duckdb.connect(":memory:", config=options)
    database.execute("SET TimeZone = 'UTC'")
    return database


def from_parquet(path: Path, below: str = "") -> str:
    """Return SQL that reads a Parquet file, or those that a pattern finds below a folder."""
    # Else `[`, `*` and `?` in a folder's name would pick other files.
    literal = re.sub(r"([\[*?])", r"[\1]", str(path)).replace("'", "''")
    return f"read_parquet('{literal}{below}', hive_partitioning = {str(bool(below)).lower()})"


def _quote_target(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


class DuckDBEngine:
    """DuckDB on Parquet files: interim tables are files, and what does not fit goes to disk."""

    name = "duckdb"

    def __init__(self, scratch: Path, memory: int | None, threads: int) -> None:
        import duckdb

        self.version = duckdb.__version__
        self._scratch = scratch
        self._database = connect_duckdb(scratch, memory, threads)
        self._count = 0

    def read(self, path: Path) -> Frame:
        """Return a Parquet file as a lazy frame."""
        relation = self._database.sql(f"SELECT * FROM {from_parquet(path)}")
        return nw.from_native(relation)

    def keep(self, frame: Frame, name: str) -> Frame:
        """Store an interim table as a Parquet file."""
        self._count += 1
        path = self._scratch / f"{self._count:02d}_{name}.parquet"
        sql = frame.to_native().sql_query()
        self._database.execute(f"COPY ({sql}) TO {_quote_target(path)} (FORMAT parquet)")
        return self.read(path)

    def write(self, frame: Frame, folder: Path) -> None:
        """Write a frame as Parquet, one folder a part."""
        _copy_parts(self._database, f"({frame.to_native().sql_query()})", folder)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()


def _copy_parts(database: Any, source: str, folder: Path) -> None:
    target = _quote_target(folder)
    # Rows of a part are written out early, since every thread holds some of every part.
    options = f"FORMAT parquet, PARTITION_BY ({PART}), COMPRESSION zstd, ROW_GROUP_SIZE 65536"
    database.execute(f"COPY (SELECT * FROM {source}) TO {target} ({options})")


class PandasEngine:
    """pandas frames in memory; files through DuckDB."""

    name = "pandas"

    def __init__(self, scratch: Path, memory: int | None, threads: int) -> None:
        import pandas as pd

        self.version = pd.__version__
        self._database = connect_duckdb(scratch, memory, threads)

    def read(self, path: Path) -> Frame:
        """Return a Parquet file as a lazy frame over pandas."""
        found = self._database.execute(f"SELECT * FROM {from_parquet(path)}").df()
        return nw.from_native(found).lazy()

    def keep(self, frame: Frame, name: str) -> Frame:
        """Return the frame: pandas has computed it already."""
        del name
        return frame

    def write(self, frame: Frame, folder: Path) -> None:
        """Write a frame as Parquet, one folder a part."""
        self._database.register("made", frame.collect("pandas").to_native())
        _copy_parts(self._database, "made", folder)
        self._database.unregister("made")

    def close(self) -> None:
        """Close the connection."""
        self._database.close()


class PolarsEngine:
    """polars lazy frames; interim tables are held in memory."""

    name = "polars"

    def __init__(self, scratch: Path, memory: int | None, threads: int) -> None:
        del scratch, memory, threads  # polars has no say in its memory, and its own threads
        polars = _need("polars", "polars")
        self.version = polars.__version__
        self._polars = polars

    def read(self, path: Path) -> Frame:
        """Scan a Parquet file."""
        return nw.from_native(self._polars.scan_parquet(path, glob=False))

    def keep(self, frame: Frame, name: str) -> Frame:
        """Compute an interim table."""
        del name
        return nw.from_native(frame.to_native().collect().lazy())

    def write(self, frame: Frame, folder: Path) -> None:
        """Write a frame as Parquet, one folder a part."""
        made = frame.to_native().collect()
        for (part,), rows in made.partition_by(PART, as_dict=True, include_key=False).items():
            place = folder / f"{PART}={part}"
            place.mkdir(parents=True)
            rows.write_parquet(place / "data_0.parquet")

    def close(self) -> None:
        """Nothing is open."""


class SparkEngine:
    """PySpark: the session that is active (a cluster's), or a local one started here."""

    name = "spark"

    def __init__(self, scratch: Path, memory: int | None, threads: int) -> None:
        pyspark = _need("pyspark", "spark")
        if not os.environ.get("JAVA_HOME") and not shutil.which("java"):
            raise InputError("engine spark: it needs Java 17 or later, and no java is on the path")
        sessions = import_module("pyspark.sql").SparkSession
        self.version = pyspark.__version__
        self._scratch = scratch
        self._count = 0
        active = sessions.getActiveSession()
        self._is_mine = active is None
        self._session = active or _start_spark(sessions, scratch, memory, threads)

    def read(self, path: Path) -> Frame:
        """Return a Parquet file, or a folder of them, as a lazy frame."""
        return nw.from_native(self._session.read.parquet(str(path.resolve())))

    def keep(self, frame: Frame, name: str) -> Frame:
        """Store an interim table as Parquet, so that a lost worker costs one stage."""
        self._count += 1
        path = self._scratch / f"{self._count:02d}_{name}"
        frame.to_native().write.parquet(str(path.resolve()))
        return self.read(path)

    def write(self, frame: Frame, folder: Path) -> None:
        """Write a frame as Parquet, one folder a part."""
        made = frame.to_native().repartition(PART)
        made.write.mode("append").partitionBy(PART).parquet(str(folder.resolve()))
        for extra in (*folder.rglob("_SUCCESS"), *folder.rglob("*.crc")):
            extra.unlink()

    def close(self) -> None:
        """Stop the session that was started here; leave the user's alone."""
        if self._is_mine:
            self._session.stop()


def _start_spark(sessions: Any, scratch: Path, memory: int | None, threads: int) -> Any:
    limit = memory or int(measure_free_memory() * SHARE)
    options = {
        "spark.driver.memory": f"{max(limit // MIB, 512)}m",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str((scratch / "spill").resolve()),
        "spark.sql.warehouse.dir": str((scratch / "warehouse").resolve()),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(4 * threads),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    session = sessions.builder.master(f"local[{threads}]").appName("followkit")
    for name, value in options.items():
        session = session.config(name, value)
    started = session.getOrCreate()
    started.sparkContext.setLogLevel("ERROR")
    return started


def _need(package: str, engine: str) -> Any:
    if find_spec(package) is None:
        raise InputError(
            f"engine {engine}: the package {package} is not installed; install it, or use engine "
            "duckdb"
        )
    return import_module(package)
