// Carries the precompiled GoogleTest headers of tests/CMakeLists.txt; has no code of its own.
