"""Mail services that call us to tell of bounces and complaints; each is off until newsletter.yaml configures it."""
