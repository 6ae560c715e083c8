"""What `/v1` and `/_sim` share: operations as data, routing, parsing, error bodies, OpenAPI. No rules."""
