"""The local stack of StreamFlow: installs real servers below .local/, starts, watches and stops them. Standard library only."""
