# How Girih's own targets are declared, so that every CMakeLists.txt is a list of
# names. Plain static libraries: MLIR's own helpers would install and export
# each of them.

# girih_add_library(NAME sources... [LINK libs...] [DEPENDS targets...])
function(girih_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# Programs of the asan preset carry their options.
function(girih_add_sanitizer_options name)
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=[a-z,-]*address")
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tools/cmake/SanitizerOptions.c)
  endif()
endfunction()

# girih_add_executable(NAME sources... [LINK libs...]): into build/<preset>/bin.
function(girih_add_executable name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  girih_add_sanitizer_options(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${GIRIH_BIN_DIR})
endfunction()

# girih_add_unittest(NAME sources... [LINK libs...]): one ctest entry a program.
function(girih_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest_main)
  girih_add_sanitizer_options(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${GIRIH_BIN_DIR}/test)
  add_test(NAME ${name} COMMAND ${name})
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
    set_tests_properties(${name} PROPERTIES ENVIRONMENT
      "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tools/dev/tsan.supp")
  endif()
endfunction()
