"""What whoever runs the tests has chosen for mvtui is none of theirs."""

import os

os.environ["XDG_CONFIG_HOME"] = "/nowhere"
for _name in [name for name in os.environ if name.startswith("MVTUI_") and name != "MVTUI_RENEW_SCREENS"]:
    del os.environ[_name]
