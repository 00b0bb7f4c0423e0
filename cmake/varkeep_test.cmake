# varkeep_test(NAME SOURCES a_test.cc ... DEPS x ... LABEL domain [TIMEOUT s])
#
# One test program; ctest runs it as NAME. Labels: domain (no gRPC: also run
# under the thread sanitizer), rpc, crash, lint.
include(GoogleTest)
enable_testing()
function(varkeep_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE
    ${ARG_DEPS} varkeep_warnings GTest::gmock GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES
    LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()
