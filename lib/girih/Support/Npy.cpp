//===- Npy.cpp - Reading and writing .npy files ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header is a Python dict literal with three keys; a small cursor reads just
// that grammar.
//
//===----------------------------------------------------------------------===//

#include "girih/Support/Npy.h"

#include "girih/Support/Error.h"
#include "girih/Support/InputFile.h"
#include "girih/Support/OutputFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>
#include <limits>
#include <optional>

using namespace girih;

static const llvm::StringRef npyMagic("\x93NUMPY", 6);

static llvm::Error fileError(llvm::StringRef name, const llvm::Twine &what) {
  return invalidError((name + ": " + what).str());
}

/// At most 40 printable characters of text from a file, for a message.
static std::string excerpt(llvm::StringRef text) {
  std::string out;
  llvm::raw_string_ostream os(out);
  llvm::printEscapedString(text.take_front(40), os);
  if (text.size() > 40)
    os << "...";
  return out;
}

/// How headers name the element types, and their bytes.
static const struct {
  NpyType type;
  llvm::StringRef descr;
  size_t bytes;
} elementTypes[] = {{NpyType::F16, "<f2", 2},  {NpyType::F32, "<f4", 4}, {NpyType::F64, "<f8", 8},
                    {NpyType::Bool, "|b1", 1}, {NpyType::I8, "|i1", 1},  {NpyType::I16, "<i2", 2},
                    {NpyType::I32, "<i4", 4},  {NpyType::I64, "<i8", 8}, {NpyType::U8, "|u1", 1},
                    {NpyType::U16, "<u2", 2},  {NpyType::U32, "<u4", 4}, {NpyType::U64, "<u8", 8}};

static bool isFloat(NpyType type) { return type <= NpyType::F64; }

static size_t elementSize(NpyType type) { return elementTypes[static_cast<int>(type)].bytes; }

/// Widens an IEEE half; exact.
static float halfToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 31;
  uint32_t mantissa = bits & 0x3ff;
  if (exponent == 31)
    return llvm::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent == 0) {
    float magnitude = static_cast<float>(mantissa) * 0x1p-24f; // exact: 10 bits
    return sign ? -magnitude : magnitude;
  }
  return llvm::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

namespace {

/// Reads the dict literal of a header.
class HeaderCursor {
public:
  explicit HeaderCursor(llvm::StringRef text) : rest(text) {}

  bool consume(char c) {
    rest = rest.ltrim(" \n\t");
    return rest.consume_front(llvm::StringRef(&c, 1));
  }

  bool string(llvm::StringRef &value) {
    rest = rest.ltrim(" \n\t");
    if (rest.empty() || (rest[0] != '\'' && rest[0] != '"'))
      return false;
    size_t close = rest.find(rest[0], 1);
    if (close == llvm::StringRef::npos)
      return false;
    value = rest.slice(1, close);
    rest = rest.drop_front(close + 1);
    return true;
  }

  bool boolean(bool &value) {
    rest = rest.ltrim(" \n\t");
    if (rest.consume_front("True"))
      return value = true;
    value = false;
    return rest.consume_front("False");
  }

  /// A tuple of integers: `()`, `(3,)`, `(3, 4)`. Digits are kept as text so
  /// that the caller can say which number does not fit.
  bool tuple(std::vector<llvm::StringRef> &values) {
    if (!consume('('))
      return false;
    while (!consume(')')) {
      rest = rest.ltrim(" \n\t");
      size_t digits = rest.starts_with("-") ? 1 : 0;
      size_t end = rest.find_first_not_of("0123456789", digits);
      if (end == digits || end == llvm::StringRef::npos)
        return false;
      values.push_back(rest.take_front(end));
      rest = rest.drop_front(end);
      rest.consume_front("L"); // Python 2 wrote long integers so.
      if (consume(')'))
        return true;
      if (!consume(','))
        return false;
    }
    return true;
  }

  bool atEnd() { return rest.trim(llvm::StringRef(" \n\t\0", 4)).empty(); }
  llvm::StringRef remaining() const { return rest; }

private:
  llvm::StringRef rest;
};

/// The three values of a header as written.
struct HeaderFields {
  std::optional<llvm::StringRef> descr;
  std::optional<bool> fortran;
  std::optional<std::vector<llvm::StringRef>> shape;
};

} // namespace

static llvm::Error parseFields(llvm::StringRef text, llvm::StringRef name, HeaderFields &fields) {
  HeaderCursor cursor(text);
  auto malformed = [&](const llvm::Twine &expected) {
    return fileError(name, "malformed .npy header: expected " + expected + ", but got '" +
                               excerpt(cursor.remaining().rtrim()) + "'");
  };
  if (!cursor.consume('{'))
    return malformed("'{'");
  while (!cursor.consume('}')) {
    llvm::StringRef key;
    if (!cursor.string(key))
      return malformed("a key in quotes");
    if (!cursor.consume(':'))
      return malformed("':' after '" + excerpt(key) + "'");
    if (key == "descr" && !fields.descr) {
      llvm::StringRef value;
      if (!cursor.string(value))
        return malformed("a plain element type");
      fields.descr = value;
    } else if (key == "fortran_order" && !fields.fortran) {
      bool value;
      if (!cursor.boolean(value))
        return malformed("True or False");
      fields.fortran = value;
    } else if (key == "shape" && !fields.shape) {
      std::vector<llvm::StringRef> value;
      if (!cursor.tuple(value))
        return malformed("a tuple of integers");
      fields.shape = std::move(value);
    } else {
      return fileError(name, "malformed .npy header: expected descr, fortran_order and shape once "
                             "each, but got '" +
                                 excerpt(key) + "'");
    }
    if (cursor.consume('}'))
      break;
    if (!cursor.consume(','))
      return malformed("',' or '}'");
  }
  if (!cursor.atEnd())
    return malformed("nothing after '}'");
  if (!fields.descr || !fields.fortran || !fields.shape)
    return fileError(name,
                     "malformed .npy header: expected descr, fortran_order and shape, but got "
                     "fewer");
  return llvm::Error::success();
}

static llvm::Error checkShape(llvm::StringRef name, const std::vector<llvm::StringRef> &shape,
                              NpyHeader &header) {
  int64_t bytes = static_cast<int64_t>(elementSize(header.type));
  int64_t elements = 1;
  bool empty = false;
  for (llvm::StringRef text : shape) {
    int64_t size;
    if (text.getAsInteger(10, size))
      return fileError(name, "expected sizes that fit in 64 bits, but got " + excerpt(text));
    if (size < 0)
      return fileError(name, "expected sizes of 0 or more, but got " + text);
    header.shape.push_back(size);
    // A zero elsewhere must not hide an overflow, so it is applied at the end.
    empty |= size == 0;
    if (size > 0 && (llvm::MulOverflow(elements, size, elements) ||
                     elements > std::numeric_limits<int64_t>::max() / bytes))
      return fileError(name, "expected an array that fits in memory, but got shape (" +
                                 llvm::join(shape, ", ") + ")");
  }
  header.elements = empty ? 0 : elements;
  return llvm::Error::success();
}

static llvm::Error parseType(llvm::StringRef descr, llvm::StringRef name, bool takesIntegers,
                             NpyType &type) {
  for (const auto &known : elementTypes) {
    if (descr != known.descr || (!takesIntegers && !isFloat(known.type)))
      continue;
    type = known.type;
    return llvm::Error::success();
  }
  const char *supported =
      takesIntegers ? "integers, '<f4', '<f2' or '<f8'" : "'<f4', '<f2' or '<f8'";
  if (descr.starts_with(">"))
    return fileError(name, "expected little-endian data (" + llvm::Twine(supported) +
                               "), but got big-endian '" + excerpt(descr) + "'");
  return fileError(name, "expected element type " + llvm::Twine(supported) + ", but got '" +
                             excerpt(descr) + "'");
}

llvm::Expected<NpyHeader> girih::parseNpyHeader(llvm::StringRef bytes, llvm::StringRef name,
                                                bool takesIntegers) {
  if (!bytes.starts_with(npyMagic))
    return fileError(name, "expected a .npy file, but got other magic bytes '" +
                               excerpt(bytes.take_front(npyMagic.size())) + "'");
  if (bytes.size() < 8)
    return fileError(name, "truncated .npy file: expected a version, but got " +
                               llvm::Twine(bytes.size()) + " bytes");
  unsigned major = static_cast<uint8_t>(bytes[6]), minor = static_cast<uint8_t>(bytes[7]);
  if (major < 1 || major > 3 || minor != 0)
    return fileError(name, "expected .npy version 1.0, 2.0 or 3.0, but got " + llvm::Twine(major) +
                               "." + llvm::Twine(minor));
  size_t lengthBytes = major == 1 ? 2 : 4;
  size_t textBegin = 8 + lengthBytes;
  if (bytes.size() < textBegin)
    return fileError(name, "truncated .npy file: expected a header length, but got " +
                               llvm::Twine(bytes.size()) + " bytes");
  size_t length = major == 1 ? llvm::support::endian::read16le(bytes.data() + 8)
                             : llvm::support::endian::read32le(bytes.data() + 8);
  if (length > bytes.size() - textBegin)
    return fileError(name, "truncated .npy file: expected a header of " + llvm::Twine(length) +
                               " bytes, but got " + llvm::Twine(bytes.size() - textBegin));

  HeaderFields fields;
  if (llvm::Error error = parseFields(bytes.substr(textBegin, length), name, fields))
    return std::move(error);
  NpyHeader header;
  header.dataOffset = textBegin + length;
  if (llvm::Error error = parseType(*fields.descr, name, takesIntegers, header.type))
    return std::move(error);
  if (*fields.fortran)
    return fileError(name, "expected C order, but got Fortran order");
  if (llvm::Error error = checkShape(name, *fields.shape, header))
    return std::move(error);
  return header;
}

static std::vector<float> convert(const char *data, NpyType type, int64_t elements) {
  std::vector<float> out(elements);
  if (type == NpyType::F32 && llvm::endianness::native == llvm::endianness::little) {
    if (elements != 0)
      std::memcpy(out.data(), data, elements * sizeof(float));
    return out;
  }
  for (int64_t i = 0; i < elements; ++i) {
    if (type == NpyType::F16)
      out[i] = halfToFloat(llvm::support::endian::read16le(data + 2 * i));
    else if (type == NpyType::F32)
      out[i] = llvm::bit_cast<float>(llvm::support::endian::read32le(data + 4 * i));
    else
      out[i] =
          static_cast<float>(llvm::bit_cast<double>(llvm::support::endian::read64le(data + 8 * i)));
  }
  return out;
}

/// A file with holes may be larger than any memory.
static llvm::Error checkMemory(llvm::StringRef name, const NpyHeader &header) {
  uint64_t bytes = static_cast<uint64_t>(header.elements) * elementSize(header.type);
  if (bytes <= physicalMemory())
    return llvm::Error::success();
  return fileError(name, "expected an array that fits in this machine's memory, but got one of " +
                             llvm::Twine(bytes) + " bytes");
}

static llvm::Error checkData(llvm::StringRef bytes, llvm::StringRef name, const NpyHeader &header) {
  size_t expected = static_cast<size_t>(header.elements) * elementSize(header.type);
  size_t actual = bytes.size() - header.dataOffset;
  if (actual == expected)
    return checkMemory(name, header);
  return fileError(name, llvm::Twine(actual < expected ? "truncated data" : "trailing bytes") +
                             ": expected " + llvm::Twine(expected) + " bytes of data, but got " +
                             llvm::Twine(actual));
}

static llvm::Error checkRank(llvm::StringRef name, const NpyHeader &header, size_t rank) {
  if (header.shape.size() == rank)
    return llvm::Error::success();
  return fileError(name, "expected an array of rank " + llvm::Twine(rank) + ", but got rank " +
                             llvm::Twine(header.shape.size()));
}

llvm::Expected<NpyArray> girih::parseNpy(llvm::StringRef bytes, llvm::StringRef name, size_t rank) {
  llvm::Expected<NpyHeader> header = parseNpyHeader(bytes, name);
  if (!header)
    return header.takeError();
  if (llvm::Error error = checkRank(name, *header, rank))
    return std::move(error);
  if (llvm::Error error = checkData(bytes, name, *header))
    return std::move(error);
  NpyArray array;
  array.type = header->type;
  array.shape = std::move(header->shape);
  array.data = convert(bytes.data() + header->dataOffset, array.type, header->elements);
  return array;
}

/// A little-endian integer of `type`, as the bits of an int64.
static int64_t integerAt(const char *data, NpyType type) {
  namespace le = llvm::support::endian;
  switch (type) {
  case NpyType::Bool:
    return *data != 0;
  case NpyType::I8:
    return static_cast<int8_t>(*data);
  case NpyType::U8:
    return static_cast<uint8_t>(*data);
  case NpyType::I16:
    return static_cast<int16_t>(le::read16le(data));
  case NpyType::U16:
    return le::read16le(data);
  case NpyType::I32:
    return static_cast<int32_t>(le::read32le(data));
  case NpyType::U32:
    return le::read32le(data);
  default:
    return static_cast<int64_t>(le::read64le(data));
  }
}

llvm::Expected<NpyTable> girih::parseNpyTable(llvm::StringRef bytes, llvm::StringRef name) {
  llvm::Expected<NpyHeader> header = parseNpyHeader(bytes, name, /*takesIntegers=*/true);
  if (!header)
    return header.takeError();
  size_t rank = header->shape.size();
  if (rank < 1 || rank > 4)
    return fileError(name, "expected an array of 1 to 4 dimensions, but got " + llvm::Twine(rank));
  if (llvm::Error error = checkData(bytes, name, *header))
    return std::move(error);
  NpyTable table;
  table.shape = std::move(header->shape);
  table.isFloat = isFloat(header->type);
  const char *data = bytes.data() + header->dataOffset;
  if (table.isFloat) {
    table.floats = convert(data, header->type, header->elements);
    return table;
  }
  table.ints.resize(header->elements);
  size_t size = elementSize(header->type);
  for (int64_t i = 0; i < header->elements; ++i) {
    table.ints[i] = integerAt(data + i * size, header->type);
    if (header->type == NpyType::U64 && table.ints[i] < 0)
      return fileError(name, "expected integers of 64 bits with a sign, but got " +
                                 llvm::Twine(static_cast<uint64_t>(table.ints[i])) +
                                 " at element " + llvm::Twine(i));
  }
  return table;
}

llvm::Expected<NpyArray> girih::readNpy(const std::string &path, size_t rank) {
  if (llvm::sys::fs::is_regular_file(path)) {
    auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!buffer)
      return fileError(path, "cannot be read: " + buffer.getError().message());
    return parseNpy((*buffer)->getBuffer(), path, rank);
  }
  // A pipe may have no end: no more is read than the header announces.
  auto bytes = readFile(path, [&](llvm::StringRef begin) -> llvm::Expected<uint64_t> {
    llvm::Expected<NpyHeader> header = parseNpyHeader(begin, path);
    if (!header)
      return header.takeError();
    if (llvm::Error error = checkRank(path, *header, rank))
      return std::move(error);
    if (llvm::Error error = checkMemory(path, *header))
      return std::move(error);
    return header->dataOffset + header->elements * elementSize(header->type);
  });
  if (!bytes)
    return bytes.takeError();
  return parseNpy(*bytes, path, rank);
}

llvm::Error girih::writeNpy(const std::string &path, llvm::ArrayRef<int64_t> shape,
                            llvm::ArrayRef<float> data, llvm::StringRef flag) {
  int64_t elements = 1;
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int64_t size : shape) {
    elements *= size;
    header += std::to_string(size) + ", ";
  }
  if (elements != static_cast<int64_t>(data.size()))
    return internalError("npy: expected as many values as the shape has, but got " +
                         std::to_string(data.size()));
  if (shape.size() > 1)
    header.resize(header.size() - 2);
  header += "), }";
  // The data starts at a multiple of 64 bytes, as NumPy pads it.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';

  llvm::Expected<OutputFile> file = OutputFile::create(path, flag);
  if (!file)
    return file.takeError();
  llvm::raw_ostream &os = file->stream();
  char length[2];
  llvm::support::endian::write16le(length, static_cast<uint16_t>(header.size()));
  os << npyMagic << '\x01' << '\x00' << llvm::StringRef(length, 2) << header;
  for (float value : data) {
    char bytes[4];
    llvm::support::endian::write32le(bytes, llvm::bit_cast<uint32_t>(value));
    os.write(bytes, 4);
  }
  return file->commit();
}
