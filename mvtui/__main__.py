"""`python -m mvtui` is `mvtui`."""

from mvtui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
