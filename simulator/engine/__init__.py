"""What happens: sans-IO machines. The only place with rules about calls and deliveries."""
