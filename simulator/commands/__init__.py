"""The commands of `agentphone-simulator`: one module each, with a click command named `command`."""
