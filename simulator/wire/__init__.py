"""What it looks like: the JSON of `/v1`, of errors and of webhook payloads. The only room that knows camelCase."""
