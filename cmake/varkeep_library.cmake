# varkeep_library(NAME SOURCES a.cc ... DEPS x ... PRIVATE_DEPS y ...)
#
# A static library of the project. DEPS appear in its headers, PRIVATE_DEPS only
# in its sources. Headers are included by their path from the project's root.
function(varkeep_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SOURCES)
    add_library(varkeep_${name} STATIC ${ARG_SOURCES})
    target_include_directories(varkeep_${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(varkeep_${name}
      PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} varkeep_warnings)
  else()
    add_library(varkeep_${name} INTERFACE)
    target_include_directories(varkeep_${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(varkeep_${name} INTERFACE ${ARG_DEPS})
  endif()
  add_library(varkeep::${name} ALIAS varkeep_${name})
endfunction()
