//===- Options.cpp - The flags of girih-compile ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "girih/Support/Error.h"
#include "girih/Support/OutputPath.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace girih;
namespace path = llvm::sys::path;

namespace {

struct Format {
  ArtifactFormat format;
  llvm::StringLiteral suffix;
};
constexpr Format formats[] = {{ArtifactFormat::Object, ".o"},
                              {ArtifactFormat::SharedLibrary, ".so"},
                              {ArtifactFormat::Ptx, ".ptx"},
                              {ArtifactFormat::Cubin, ".cubin"}};

} // namespace

void girih::addOptions(Flags &flags, Options &o) {
  flags.text("output", o.output, "FILE", "what to write; NAME.h and NAME.json go beside it");
  flags.shortName("output", 'o');
  flags.choice("format", o.format, {"auto", "object", "shared", "ptx", "cubin"},
               "of FILE; auto: by its suffix .o, .so, .ptx or .cubin");
  flags.text("name", o.name, "NAME",
             "what symbols start with (default: FILE without lib and suffix)");
  addKernelFlags(flags, o.request, CompileOptions().chip);
}

static llvm::Expected<ArtifactFormat> formatOf(const Options &options, llvm::StringRef file) {
  for (const Format &format : formats)
    if (options.format == "auto" ? file.ends_with(format.suffix)
                                 : options.format == formatName(format.format))
      return format.format;
  return invalidError("-o: expected a file that ends in .o, .so, .ptx or .cubin, or --format, but "
                      "got '" +
                      file.str() + "'");
}

static bool isIdentifier(llvm::StringRef text) {
  return !text.empty() && !llvm::isDigit(text.front()) &&
         llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

llvm::Expected<Output> girih::makeOutput(const Options &options) {
  if (!options.output)
    return invalidError("expected -o FILE, but got none");
  Output output;
  output.codePath = *options.output;
  llvm::StringRef file = path::filename(output.codePath);
  auto format = formatOf(options, file);
  if (!format)
    return format.takeError();
  output.format = *format;
  bool isCuda = options.request.target == "cuda";
  if (isForGpu(output.format) != isCuda)
    return unsupportedError("format " + formatName(output.format).str() +
                            " is not supported with --target " + options.request.target +
                            "; supported: " + (isCuda ? "ptx, cubin" : "object, shared"));

  // Beside devices, pipes and descriptors nothing else is to be written.
  namespace fs = llvm::sys::fs;
  fs::file_status status;
  bool isThere = !fs::status(output.codePath, status);
  if (isThere && !fs::is_directory(status) &&
      (!fs::is_regular_file(status) || descriptorOf(output.codePath, status)))
    return invalidError("-o: expected a file, beside which the header and the manifest go, but '" +
                        output.codePath + "' is a device, a pipe or an open descriptor");

  llvm::StringRef stem = file.split('.').first;
  if (output.format == ArtifactFormat::SharedLibrary)
    stem.consume_front("lib");
  output.names.name = options.name.value_or(stem.str());
  if (!isIdentifier(output.names.name))
    return invalidError(
        std::string(options.name ? "--name: expected" : "expected --name NAME, or -o to name") +
        " an identifier of C, but got '" + output.names.name + "'");
  output.names.codeFile = file.str();
  output.names.headerFile = output.names.name + ".h";
  auto beside = [&](const std::string &name) {
    llvm::SmallString<128> result(path::parent_path(output.codePath));
    path::append(result, name);
    return std::string(result);
  };
  output.headerPath = beside(output.names.headerFile);
  output.manifestPath = beside(output.names.name + ".json");
  for (auto [what, other] :
       {std::pair("header", &output.headerPath), std::pair("manifest", &output.manifestPath)})
    if (path::filename(*other) == file)
      return invalidError(std::string("-o: expected another name than that of the ") + what +
                          ", but got '" + file.str() + "'");
  return output;
}
