"""The suite that proves what a store promises."""
