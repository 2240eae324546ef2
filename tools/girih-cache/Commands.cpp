//===- Commands.cpp - What can be done to a kernel cache ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include "girih/Support/Error.h"
#include "girih/Support/Json.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <tuple>

using namespace girih;
namespace fs = llvm::sys::fs;
using llvm::StringRef;

uint64_t Listing::bytes() const {
  uint64_t sum = 0;
  for (const ListedEntry &entry : entries)
    sum += entry.file.bytes;
  return sum;
}

uint64_t Listing::numBad() const {
  return llvm::count_if(
      entries, [](const ListedEntry &e) { return !e.problem.empty() && !e.isOtherVersion; });
}

/// Reads one entry; false when another process has removed it.
static bool readEntry(ListedEntry &entry) {
  auto bytes = readEntryFile(entry.file.path, /*touch=*/false);
  if (!bytes) {
    entry.problem = "cannot be read: " + bytes.getError().message();
    return bytes.getError() != std::errc::no_such_file_or_directory;
  }
  auto code = decodeEntry({entry.file.key}, *bytes);
  if (code) {
    entry.label = code->label;
    return true;
  }
  entry.problem = takeStatus(code.takeError()).message;
  entry.isOtherVersion = isEntryOfOtherVersion(*bytes);
  return true;
}

llvm::Expected<Listing> girih::readCache(const std::string &folder, uint64_t limit) {
  Listing listing;
  listing.folder = folder;
  listing.limit = limit;
  if (!fs::exists(folder))
    return listing;
  auto files = listCacheFiles(folder);
  if (!files)
    return files.takeError();
  for (CacheFile &file : *files) {
    if (file.key.empty()) {
      ++listing.numStaged;
      continue;
    }
    ListedEntry entry;
    entry.file = std::move(file);
    if (readEntry(entry))
      listing.entries.push_back(std::move(entry));
  }
  llvm::sort(listing.entries, [](const ListedEntry &a, const ListedEntry &b) {
    return std::tie(b.file.lastUsed, a.file.key) < std::tie(a.file.lastUsed, b.file.key);
  });
  return listing;
}

llvm::Expected<Cleared> girih::clearCache(const std::string &folder) {
  Cleared cleared;
  if (!fs::exists(folder))
    return cleared;
  auto files = listCacheFiles(folder);
  if (!files)
    return files.takeError();
  std::string trouble;
  for (const CacheFile &file : *files) {
    // Of links, pipes and empty folders too.
    if (std::remove(file.path.c_str()) != 0 && errno != ENOENT) {
      if (trouble.empty())
        trouble =
            "expected to remove " + file.path + ", but got: " + llvm::errnoAsErrorCode().message();
      continue;
    }
    cleared.removed += !file.key.empty();
    cleared.bytes += file.bytes;
  }
  if (!trouble.empty())
    return invalidError(trouble);
  return cleared;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static std::string sizeText(uint64_t bytes) {
  if (bytes < 1024)
    return fmt::format("{} bytes", bytes);
  double size = static_cast<double>(bytes) / 1024;
  StringRef units[] = {"KiB", "MiB", "GiB"};
  size_t unit = 0;
  for (; size >= 1024 && unit + 1 != std::size(units); ++unit)
    size /= 1024;
  return fmt::format("{:.1f} {}", size, units[unit].str());
}

static std::string countText(uint64_t count) {
  return fmt::format("{} kernel{}", count, count == 1 ? "" : "s");
}

/// Terminals obey control characters; patterns in a cache may hold any.
static std::string printable(StringRef text) {
  std::string out;
  for (char c : text)
    out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
  return out;
}

static std::string summary(const Listing &listing) {
  std::string limit = listing.limit ? " of " + sizeText(listing.limit) : "";
  std::string text = fmt::format("{}, {}{}, in {}\n", countText(listing.entries.size()),
                                 sizeText(listing.bytes()), limit, listing.folder);
  uint64_t others = llvm::count_if(listing.entries, [](auto &e) { return e.isOtherVersion; });
  if (others)
    text += fmt::format("{} of another version of girih; never used here\n", countText(others));
  if (listing.numStaged)
    text += fmt::format("{} being written, or left by a killed process\n",
                        countText(listing.numStaged));
  return text;
}

std::string girih::textList(const Listing &listing) {
  size_t targetWidth = 6;
  for (const ListedEntry &entry : listing.entries)
    targetWidth = std::max(targetWidth, entry.label.target.size());
  std::string out;
  auto row = [&](StringRef key, StringRef kind, StringRef target, StringRef bytes, StringRef used,
                 StringRef kernel) {
    out += fmt::format("{:12}  {:6}  {:{}}  {:>9}  {:19}  {}\n", key.str(), kind.str(),
                       printable(target), targetWidth, bytes.str(), used.str(), printable(kernel));
  };
  if (!listing.entries.empty())
    row("key", "kind", "target", "bytes", "last used", "kernel");
  for (const ListedEntry &entry : listing.entries) {
    const KernelLabel &label = entry.label;
    std::string kernel = label.signature + ": " + label.pattern;
    if (!entry.problem.empty())
      kernel = "unusable: " + entry.problem;
    std::string used = llvm::formatv("{0:%Y-%m-%d %H:%M:%S}", entry.file.lastUsed);
    row(StringRef(entry.file.key).take_front(12), label.kind.empty() ? "-" : label.kind,
        label.target.empty() ? "-" : label.target, std::to_string(entry.file.bytes), used, kernel);
  }
  return out + summary(listing);
}

std::string girih::textVerify(const Listing &listing) {
  std::string out;
  for (const ListedEntry &entry : listing.entries)
    if (!entry.problem.empty() && !entry.isOtherVersion)
      out += fmt::format("bad: {}: {}\n", entry.file.path, entry.problem);
  out += summary(listing);
  uint64_t bad = listing.numBad();
  return out + (bad ? fmt::format("{} bad\n", bad) : "all good\n");
}

std::string girih::textCleared(const std::string &folder, const Cleared &cleared) {
  return fmt::format("removed {}, {}, from {}\n", countText(cleared.removed),
                     sizeText(cleared.bytes), folder);
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static int64_t jsonBytes(uint64_t bytes) { return static_cast<int64_t>(bytes); }

static void writeSummary(llvm::json::OStream &json, const Listing &listing) {
  json.attribute("folder", jsonText(listing.folder));
  json.attribute("limit_bytes", jsonBytes(listing.limit));
  json.attribute("bytes", jsonBytes(listing.bytes()));
}

std::string girih::jsonList(const Listing &listing) {
  return writeJson([&](llvm::json::OStream &json) {
    writeSummary(json, listing);
    json.attributeArray("kernels", [&] {
      for (const ListedEntry &entry : listing.entries)
        json.object([&] {
          auto used = std::chrono::time_point_cast<std::chrono::seconds>(entry.file.lastUsed);
          json.attribute("key", entry.file.key);
          json.attribute("kind", jsonText(entry.label.kind));
          json.attribute("target", jsonText(entry.label.target));
          json.attribute("signature", jsonText(entry.label.signature));
          json.attribute("pattern", jsonText(entry.label.pattern));
          json.attribute("bytes", jsonBytes(entry.file.bytes));
          json.attribute("last_used", static_cast<int64_t>(llvm::sys::toTimeT(used)));
          json.attribute("problem", jsonText(entry.problem));
        });
    });
  });
}

std::string girih::jsonVerify(const Listing &listing) {
  return writeJson([&](llvm::json::OStream &json) {
    writeSummary(json, listing);
    uint64_t unusable = llvm::count_if(listing.entries, [](auto &e) { return !e.problem.empty(); });
    json.attribute("good", jsonBytes(listing.entries.size() - unusable));
    json.attribute("other_versions", jsonBytes(unusable - listing.numBad()));
    json.attributeArray("bad", [&] {
      for (const ListedEntry &entry : listing.entries)
        if (!entry.problem.empty() && !entry.isOtherVersion)
          json.object([&] {
            json.attribute("file", jsonText(entry.file.path));
            json.attribute("problem", jsonText(entry.problem));
          });
    });
  });
}

std::string girih::jsonCleared(const std::string &folder, const Cleared &cleared) {
  return writeJson([&](llvm::json::OStream &json) {
    json.attribute("folder", jsonText(folder));
    json.attribute("removed", jsonBytes(cleared.removed));
    json.attribute("bytes", jsonBytes(cleared.bytes));
  });
}
