# The libraries of others, found the same way in this tree and by the installed package (static libraries need them
# at the user's link as well). By pkg-config: one way that works on Debian 12 and 13, and cpp-httplib misbehaves
# without the definitions that only its .pc file carries. Targets: PkgConfig::rdkafka and so
# on. The date library brings no .pc file, but a CMake package with its definitions. RapidJSON is not among them:
# headers that no user needs, found in saga-dsl/CMakeLists.txt.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
foreach(skald_dependency rdkafka libpqxx libpq cpp-httplib libcurl prometheus-cpp-core spdlog fmt yaml-cpp CLI11
        openssl jemalloc)
  if(NOT TARGET PkgConfig::${skald_dependency})
    pkg_check_modules(${skald_dependency} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${skald_dependency})
  endif()
endforeach()
if(NOT TARGET date::date-tz)
  find_package(date REQUIRED CONFIG)
  set_target_properties(date::date date::date-tz PROPERTIES IMPORTED_GLOBAL TRUE)
endif()
