"""What whoever runs the tests has chosen for mvtui is none of theirs, nor which signals are ignored there."""

import os
import signal

os.environ["XDG_CONFIG_HOME"] = "/nowhere"
for _name in [name for name in os.environ if name.startswith("MVTUI_") and name != "MVTUI_RENEW_SCREENS"]:
    del os.environ[_name]

# A shell without job control ignores both for what it runs in the background, and all that this starts inherits it.
for _signal, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _usual)
