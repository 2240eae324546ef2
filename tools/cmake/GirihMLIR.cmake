# What "LLVM" and "MLIR" stand for in LINK lists. By default the distribution's
# shared libraries: links take a second and all tools share one copy. With
# GIRIH_STATIC the archives: tools that run where no LLVM is installed.

add_library(GirihLLVM INTERFACE)
add_library(GirihMLIR INTERFACE)
target_link_libraries(GirihMLIR INTERFACE GirihLLVM)

if(NOT GIRIH_STATIC)
  target_link_libraries(GirihLLVM INTERFACE LLVM)
  target_link_libraries(GirihMLIR INTERFACE MLIR)
  return()
endif()

include(StaticMLIR)

# Archives give up only the members that something refers to, so naming a whole
# family costs nothing but its lookup. Backends are referred to by name: x86 for
# the CPU, NVPTX for PTX.
llvm_map_components_to_libnames(llvm_libs
  core support targetparser irreader bitwriter linker passes target mc
  orcjit jitlink executionengine runtimedyld
  x86codegen x86asmparser x86desc x86info nvptxcodegen nvptxdesc nvptxinfo)
target_link_libraries(GirihLLVM INTERFACE ${llvm_libs})

get_property(dialects GLOBAL PROPERTY MLIR_DIALECT_LIBS)
get_property(conversions GLOBAL PROPERTY MLIR_CONVERSION_LIBS)
get_property(extensions GLOBAL PROPERTY MLIR_EXTENSION_LIBS)
target_link_libraries(GirihMLIR INTERFACE
  ${dialects} ${conversions} ${extensions}
  MLIRIR MLIRParser MLIRPass MLIRRewrite MLIRTransforms MLIRTransformUtils MLIROptLib
  MLIRLspServerLib MLIRLspServerSupportLib LLVMSupportLSP
  MLIRTargetLLVMIRExport MLIRBuiltinToLLVMIRTranslation MLIRGPUToLLVMIRTranslation
  MLIRLLVMToLLVMIRTranslation MLIRNVVMToLLVMIRTranslation)

# fmt from its headers: libfmt.so stays on link lines, and as nobody needs it, out of programs.
set_property(TARGET fmt::fmt APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY=1)

# Other shared libraries that a bundle brings along lie beside its bin/.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib")
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections -Wl,--as-needed)
