"""The benchmarks' own parts; bench/run is the program."""
