# How every target of this tree is compiled: C++20, all warnings as errors, ccache, and a sanitizer when asked for.
include(SkaldCompilerProbe)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(SKALD_CCACHE ccache)
if(SKALD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_BASEDIR=${CMAKE_SOURCE_DIR};CCACHE_NOHASHDIR=1;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;${SKALD_CCACHE}")
endif()

add_library(skald_options INTERFACE)
target_compile_options(skald_options INTERFACE -Wall -Wextra -Werror)
if(SKALD_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(SKALD_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
  # One object that replaces the C11 threads of glibc in every executable; -u pulls it out of its archive.
  add_library(skald_c11_threads STATIC "${CMAKE_SOURCE_DIR}/tests/sanitizers/c11_threads.cpp")
  link_libraries(skald_c11_threads)
  add_link_options(-Wl,-u,thrd_create)
elseif(SKALD_SANITIZER)
  message(FATAL_ERROR "SKALD_SANITIZER is '${SKALD_SANITIZER}'; it takes address or thread")
endif()
find_package(Threads REQUIRED)

# skald_library(name sources...): a static library of this tree, its folder's include/ (if any) public.
function(skald_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PRIVATE skald_options PUBLIC Threads::Threads)
endfunction()
