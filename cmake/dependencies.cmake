# Every external library, from the distribution's packages.
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 REQUIRED COMPONENTS C)
find_path(SECCOMP_INCLUDE_DIR seccomp.h REQUIRED)
find_library(SECCOMP_LIBRARY seccomp REQUIRED)
add_library(seccomp::seccomp UNKNOWN IMPORTED)
set_target_properties(seccomp::seccomp PROPERTIES
  IMPORTED_LOCATION ${SECCOMP_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${SECCOMP_INCLUDE_DIR})
if(NOT VARKEEP_SANITIZE STREQUAL "thread")
  # The thread sanitizer cannot judge code that runs through the uninstrumented
  # gRPC library, so that build leaves gRPC out (docs/architecture.md).
  find_package(Protobuf REQUIRED)
  find_package(gRPC REQUIRED)
  find_package(prometheus-cpp REQUIRED)
endif()
if(VARKEEP_TESTS)
  find_package(GTest REQUIRED)
endif()
