"""Large follow graphs: codes, pair kernels, tabular features on several engines, streamed fits."""
