# What `cmake --install` copies, and how find_package(Girih) finds it: component Compiler
# is libgirih.so with the C API and its C++ layer, component Runtime the static library
# that launches kernels compiled ahead of time.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(girih_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Girih)

set_target_properties(GirihCompiler PROPERTIES EXPORT_NAME Compiler INSTALL_RPATH_USE_LINK_PATH ON)
set_target_properties(GirihRuntime PROPERTIES EXPORT_NAME Runtime)
install(TARGETS GirihCompiler EXPORT GirihCompilerTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Compiler)
install(TARGETS GirihRuntime EXPORT GirihRuntimeTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Runtime)

# Include roots stay what they are in the tree.
install(FILES ${PROJECT_SOURCE_DIR}/lib/girih-c/Compiler.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/girih-c COMPONENT Compiler)
install(FILES ${PROJECT_SOURCE_DIR}/lib/girih/Girih.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/girih COMPONENT Compiler)
file(GLOB girih_runtime_headers ${PROJECT_SOURCE_DIR}/runtime/girih-c/*.h)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/GirihConfig.cmake.in
  ${PROJECT_BINARY_DIR}/GirihConfig.cmake INSTALL_DESTINATION ${girih_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/GirihConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
foreach(component Compiler Runtime)
  install(FILES ${girih_runtime_headers}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/girih-c COMPONENT ${component})
  install(EXPORT Girih${component}Targets NAMESPACE Girih:: DESTINATION ${girih_package_dir}
    COMPONENT ${component})
  install(FILES ${PROJECT_BINARY_DIR}/GirihConfig.cmake ${PROJECT_BINARY_DIR}/GirihConfigVersion.cmake
    DESTINATION ${girih_package_dir} COMPONENT ${component})
endforeach()
