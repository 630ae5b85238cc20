"""`python -m followkit` is the same as `followkit`."""

from followkit.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
