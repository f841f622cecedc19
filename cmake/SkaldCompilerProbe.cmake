# Refuses a compiler that destroys the temporaries of a co_await expression twice, by compiling and running
# SkaldCompilerProbe.cpp once per build folder. Included by Skald's own build and by the installed package, since it
# is the saga author's code that such a compiler breaks.
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  message(WARNING "Skald: cross-compiling, so the coroutine probe cannot run; take clang 16 or newer, or g++ 14")
  return()
endif()
if(NOT DEFINED SKALD_COMPILER_PROBE_RESULT)
  message(CHECK_START "Skald: does the compiler destroy coroutine temporaries once")
  try_run(SKALD_COMPILER_PROBE_RESULT SKALD_COMPILER_PROBE_COMPILED
    "${CMAKE_BINARY_DIR}/skald-compiler-probe" "${CMAKE_CURRENT_LIST_DIR}/SkaldCompilerProbe.cpp"
    CMAKE_FLAGS -DCMAKE_CXX_STANDARD=20 -DCMAKE_CXX_STANDARD_REQUIRED=ON
    COMPILE_OUTPUT_VARIABLE skald_probe_output
    CXX_STANDARD 20)
  if(SKALD_COMPILER_PROBE_COMPILED AND SKALD_COMPILER_PROBE_RESULT EQUAL 0)
    message(CHECK_PASS "yes")
  else()
    message(CHECK_FAIL "no")
  endif()
endif()
if(NOT SKALD_COMPILER_PROBE_COMPILED)
  unset(SKALD_COMPILER_PROBE_RESULT CACHE)
  message(FATAL_ERROR
    "Skald needs a compiler with C++20 coroutines; ${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID} "
    "${CMAKE_CXX_COMPILER_VERSION}) does not compile the probe:\n${skald_probe_output}")
elseif(NOT SKALD_COMPILER_PROBE_RESULT EQUAL 0)
  set(skald_probe_form "${SKALD_COMPILER_PROBE_RESULT}")
  unset(SKALD_COMPILER_PROBE_RESULT CACHE)
  message(FATAL_ERROR
    "Skald refuses this compiler: ${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}) "
    "destroys temporaries of a co_await expression twice (form ${skald_probe_form} of SkaldCompilerProbe.cpp), "
    "which corrupts the memory of sagas. Take clang-16 on Debian 12, clang-19 or g++-14 on Debian 13, for example: "
    "cmake -DCMAKE_CXX_COMPILER=clang++-16 in a new build folder.")
endif()
