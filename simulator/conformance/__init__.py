"""Whether a webhook handler keeps the contract: numbered cases, five verdicts, reports."""
