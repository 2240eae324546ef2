//===- girih-cache.cpp - List, verify and clear the kernel cache ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exit codes: 0 good, 1 verify found a bad entry, 2 bad arguments or a folder that
// can't be read.
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include "common/Request.h"
#include "common/ToolMain.h"
#include "girih/Support/Error.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace girih;

static const char usage[] = "usage: girih-cache list | verify | clear [flags]\n\n"
                            "Looks after the kernels that girih-run and others keep on disk.\n\n"
                            "  list      what is there, the last used first\n"
                            "  verify    read every kernel; exit 1 and name the bad ones\n"
                            "  clear     remove every kernel, and nothing else in the folder\n\n";

static const char environment[] =
    "\nThe folder is GIRIH_CACHE_DIR, else girih in XDG_CACHE_HOME, else ~/.cache/girih. Beyond\n"
    "GIRIH_CACHE_SIZE bytes (K, M, G; 0: no limit; default: 256M) the least recently used kernels\n"
    "go.\n";

namespace {

struct CacheOptions {
  std::string command;
  std::optional<std::string> folder;
  bool json = false;
};

} // namespace

/// The folder to work on: one that is named must exist.
static llvm::Expected<std::string> folderOf(const CacheOptions &options) {
  std::string folder = options.folder ? *options.folder : defaultCacheFolder();
  if (folder.empty())
    return invalidError("expected a folder, but got none: the cache is switched off; name one with "
                        "--cache-dir");
  if (options.folder && !llvm::sys::fs::exists(folder))
    return invalidError("--cache-dir: expected a folder, but got " + folder +
                        ", which does not exist");
  return folder;
}

static llvm::Expected<int> run(const CacheOptions &options) {
  auto folder = folderOf(options);
  if (!folder)
    return folder.takeError();
  if (options.command == "clear") {
    auto cleared = clearCache(*folder);
    if (!cleared)
      return cleared.takeError();
    llvm::outs() << (options.json ? jsonCleared(*folder, *cleared)
                                  : textCleared(*folder, *cleared));
    return GIRIH_OK;
  }
  auto limit = cacheLimit();
  if (!limit)
    return limit.takeError();
  auto listing = readCache(*folder, *limit);
  if (!listing)
    return listing.takeError();
  if (options.command == "list") {
    llvm::outs() << (options.json ? jsonList(*listing) : textList(*listing));
    return GIRIH_OK;
  }
  llvm::outs() << (options.json ? jsonVerify(*listing) : textVerify(*listing));
  return listing->numBad() ? GIRIH_MISMATCH : GIRIH_OK;
}

static llvm::Expected<int> runTool(llvm::ArrayRef<const char *> arguments) {
  CacheOptions options;
  Flags flags;
  addCacheFlag(flags, options.folder);
  flags.flag("json", options.json, "print one JSON object");
  if (!arguments.empty() && arguments.front()[0] != '-') {
    options.command = arguments.front();
    arguments = arguments.drop_front();
  }
  if (llvm::Error error = flags.parse(arguments))
    return std::move(error);
  if (flags.helpWanted()) {
    llvm::outs() << usage << flags.describe() << environment;
    return 0;
  }
  static constexpr llvm::StringLiteral commands[] = {"list", "verify", "clear"};
  if (!llvm::is_contained(commands, options.command))
    return invalidError(
        "expected a command: list, verify or clear, but got " +
        (options.command.empty() ? std::string("none") : "'" + options.command + "'"));
  return run(options);
}

int main(int argc, char **argv) {
  return toolMain("girih-cache", [&] { return runTool({argv + 1, argv + argc}); });
}
