# `cmake --install` and what find_package(Skald) reads then: targets skald::…, the compiler probe, the libraries of
# others. Included last by the top CMakeLists.txt.
if(SKALD_SANITIZER)
  return()  # a package of instrumented libraries would only confuse
endif()
include(CMakePackageConfigHelpers)
set(skald_package "${CMAKE_INSTALL_LIBDIR}/cmake/Skald")
configure_package_config_file(cmake/SkaldConfig.cmake.in "${PROJECT_BINARY_DIR}/SkaldConfig.cmake"
  INSTALL_DESTINATION "${skald_package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/SkaldConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(EXPORT SkaldTargets NAMESPACE skald:: DESTINATION "${skald_package}")
install(FILES "${PROJECT_BINARY_DIR}/SkaldConfig.cmake" "${PROJECT_BINARY_DIR}/SkaldConfigVersion.cmake"
  cmake/SkaldCompilerProbe.cmake cmake/SkaldCompilerProbe.cpp cmake/SkaldDependencies.cmake
  DESTINATION "${skald_package}")
