"""Rate limits, the throttle of sign-ins, and the devices that it knows."""
