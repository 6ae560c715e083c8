"""A local simulator and test double of the AgentPhone telephony platform."""

__all__ = ["__version__"]

__version__ = "0.5.0"
