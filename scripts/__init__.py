"""What the bundles need beyond stock MONAI, Ignite and torch components: one idea a file."""
