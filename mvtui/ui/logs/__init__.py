"""The tab of logs: what is kept of a log, how it reads on the screen, and how one walks through it."""
