"""The providers' official SDKs, a module each, used below their typed methods: bytes in, bytes out.

Each has `connect(provider, settings)`, which returns an agent.meter.upstream.Sdk. Nothing imports
these modules but agent.meter.upstream, when a provider is first needed.
"""
