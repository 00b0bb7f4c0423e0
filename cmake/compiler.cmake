# Language level, warnings, sanitizers and ccache, for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  # The source tree may be cloned anywhere and still hit the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# TensorFlow's draws are two roundings, never a fused multiply-add
# (SEMANTICS 7), so contraction is off everywhere.
add_compile_options(-ffp-contract=off)

if(VARKEEP_SANITIZE)
  add_compile_options(-fsanitize=${VARKEEP_SANITIZE}
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VARKEEP_SANITIZE})
endif()

add_library(varkeep_warnings INTERFACE)
target_compile_options(varkeep_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlaps in std::string operator+ that are not there (its bug
  # 105651).
  target_compile_options(varkeep_warnings INTERFACE -Wno-restrict)
  if(VARKEEP_SANITIZE)
    # What the sanitizers add hides from it that a value was set.
    target_compile_options(varkeep_warnings INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
