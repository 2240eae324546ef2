# Makes the packaged static archives of LLVM and MLIR usable by themselves.
#
# Distributions export them from a build that links tools with libLLVM.so, so
# every MLIR archive names that shared library in its interface, and LLVMSupport
# the shared zlib, zstd and z3. A program linked with them as they are holds LLVM
# twice. The interfaces are rewritten here, for this project only.

find_library(GIRIH_LIBZ libz.a REQUIRED)
find_library(GIRIH_LIBZSTD libzstd.a REQUIRED)

foreach(target IN LISTS MLIR_EXPORTED_TARGETS LLVM_AVAILABLE_LIBS)
  if(NOT TARGET ${target})
    continue()
  endif()
  get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
  if(NOT links)
    continue()
  endif()
  # z3, curl, libxml2, libedit and libffi serve parts that nothing here refers to.
  list(FILTER links EXCLUDE REGEX
    "^(LLVM|MLIR|CURL::libcurl|LibEdit::LibEdit|LibXml2::LibXml2)$|libz3|LINK_ONLY:(LLVM|FFI)")
  list(TRANSFORM links REPLACE "^ZLIB::ZLIB$" "${GIRIH_LIBZ}")
  list(TRANSFORM links REPLACE "^zstd::libzstd_shared$" "${GIRIH_LIBZSTD}")
  set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${links}")
endforeach()
