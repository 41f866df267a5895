"""From a batch to the network's input and the loss's target."""
