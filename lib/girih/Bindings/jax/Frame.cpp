//===- Frame.cpp - What XLA hands to a handler ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Frame.h"

#include <algorithm>
#include <utility>

using namespace girih::xla;

XLA_FFI_Error *girih::xla::makeError(const XLA_FFI_CallFrame &frame, XLA_FFI_Error_Code code,
                                     const char *message) {
  XLA_FFI_Error_Create_Args args{};
  args.struct_size = XLA_FFI_Error_Create_Args_STRUCT_SIZE;
  args.message = message;
  args.errc = code;
  return frame.api->XLA_FFI_Error_Create(&args);
}

static XLA_FFI_Error_Code codeOf(int code) {
  switch (code) {
  case GIRIH_INVALID:
    return XLA_FFI_Error_Code_INVALID_ARGUMENT;
  case GIRIH_UNSUPPORTED:
    return XLA_FFI_Error_Code_UNIMPLEMENTED;
  case GIRIH_NO_DEVICE:
    return XLA_FFI_Error_Code_UNAVAILABLE;
  default:
    return XLA_FFI_Error_Code_INTERNAL;
  }
}

XLA_FFI_Error *girih::xla::makeError(const XLA_FFI_CallFrame &frame, const GirihStatus &status) {
  return makeError(frame, codeOf(status.code), status.message);
}

bool girih::xla::answerMetadata(XLA_FFI_CallFrame &frame) {
  auto *extension = frame.extension_start;
  if (extension == nullptr || extension->type != XLA_FFI_Extension_Metadata)
    return false;
  XLA_FFI_Metadata *metadata = reinterpret_cast<XLA_FFI_Metadata_Extension *>(extension)->metadata;
  // XLA hands over its functions since version 0.2; 0.1 takes handlers of 0.1 only.
  int theirs = frame.api != nullptr ? frame.api->api_version.minor_version : 1;
  metadata->api_version.major_version = XLA_FFI_API_MAJOR;
  metadata->api_version.minor_version = std::min(theirs, XLA_FFI_API_MINOR);
  metadata->traits = 0;
  return true;
}

/// The value of an attribute of `type`, or null.
static const void *findAttribute(const XLA_FFI_CallFrame &frame, std::string_view name,
                                 XLA_FFI_AttrType type) {
  const XLA_FFI_Attrs &attributes = frame.attrs;
  for (int64_t i = 0; i != attributes.size; ++i) {
    const XLA_FFI_ByteSpan &found = *attributes.names[i];
    if (attributes.types[i] == type && std::string_view(found.ptr, found.len) == name)
      return attributes.attrs[i];
  }
  return nullptr;
}

std::string_view girih::xla::textAttribute(const XLA_FFI_CallFrame &frame, std::string_view name) {
  auto *span =
      static_cast<const XLA_FFI_ByteSpan *>(findAttribute(frame, name, XLA_FFI_AttrType_STRING));
  return span == nullptr ? std::string_view() : std::string_view(span->ptr, span->len);
}

const float *girih::xla::floatAttribute(const XLA_FFI_CallFrame &frame, std::string_view name) {
  auto *scalar =
      static_cast<const XLA_FFI_Scalar *>(findAttribute(frame, name, XLA_FFI_AttrType_SCALAR));
  return scalar == nullptr || scalar->dtype != XLA_FFI_DataType_F32
             ? nullptr
             : static_cast<const float *>(scalar->value);
}

XLA_FFI_Error *girih::xla::streamOf(const XLA_FFI_CallFrame &frame, void *&stream) {
  XLA_FFI_Stream_Get_Args args{};
  args.struct_size = XLA_FFI_Stream_Get_Args_STRUCT_SIZE;
  args.ctx = frame.ctx;
  XLA_FFI_Error *error = frame.api->XLA_FFI_Stream_Get(&args);
  stream = args.stream;
  return error;
}

XLA_FFI_Error *girih::xla::deviceOf(const XLA_FFI_CallFrame &frame, int32_t &device) {
  if (frame.api->struct_size < offsetof(XLA_FFI_Api, XLA_FFI_DeviceOrdinal_Get) + sizeof(void *))
    return makeError(frame, XLA_FFI_Error_Code_UNIMPLEMENTED,
                     "expected an XLA that tells handlers their device, but got an older one; "
                     "supported: jaxlib 0.6 and later");
  XLA_FFI_DeviceOrdinal_Get_Args args{};
  args.struct_size = XLA_FFI_DeviceOrdinal_Get_Args_STRUCT_SIZE;
  args.ctx = frame.ctx;
  XLA_FFI_Error *error = frame.api->XLA_FFI_DeviceOrdinal_Get(&args);
  device = args.device_ordinal;
  return error;
}

/// DLPack's name of a dtype; 0 bits: none that attention has.
static DLDataType dtypeOf(XLA_FFI_DataType dtype) {
  switch (dtype) {
  case XLA_FFI_DataType_F32:
    return {kDLFloat, 32, 1};
  case XLA_FFI_DataType_F16:
    return {kDLFloat, 16, 1};
  case XLA_FFI_DataType_BF16:
    return {kDLBfloat, 16, 1};
  default:
    return {kDLFloat, 0, 1};
  }
}

bool Tensor::set(const XLA_FFI_Buffer &buffer, int rank, bool swapped, DLDevice device) {
  tensor.dtype = dtypeOf(buffer.dtype);
  if (buffer.rank != rank || tensor.dtype.bits == 0)
    return false;
  int64_t stride = 1;
  for (int i = rank; i-- > 0;) {
    shape[i] = buffer.dims[i];
    strides[i] = stride;
    stride *= buffer.dims[i];
  }
  if (swapped) {
    std::swap(shape[1], shape[2]);
    std::swap(strides[1], strides[2]);
  }
  tensor.data = buffer.data;
  tensor.device = device;
  tensor.ndim = rank;
  tensor.shape = shape;
  tensor.strides = strides;
  return true;
}
