//===- Flags.h - Command-line flags of the tools ----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A strict flag table. llvm::cl would not do: the hundreds of internal flags
// that libLLVM registers in the same process would all be accepted, and some of
// them have the names that the command-line contract uses.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_COMMON_FLAGS_H
#define GIRIH_TOOLS_COMMON_FLAGS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace girih {

/// The flags of a program: each is `--name VALUE`, `--name=VALUE` or, without a
/// value, `--name`. Anything else on the command line is an error, and so is a
/// flag given twice.
class Flags {
public:
  /// Each ties a flag to a variable, which keeps its value when the flag is not
  /// given. `help` is one line.
  void text(llvm::StringRef name, std::optional<std::string> &value, llvm::StringRef metavar,
            llvm::StringRef help, bool mayBeEmpty = false);
  /// An integer from `least` to `most`.
  void integer(llvm::StringRef name, std::optional<int64_t> &value, int64_t least,
               llvm::StringRef metavar, llvm::StringRef help, int64_t most = INT64_MAX);
  void unsignedInteger(llvm::StringRef name, uint64_t &value, llvm::StringRef metavar,
                       llvm::StringRef help);
  /// A finite number.
  void number(llvm::StringRef name, std::optional<double> &value, llvm::StringRef metavar,
              llvm::StringRef help);
  void choice(llvm::StringRef name, std::string &value, llvm::ArrayRef<llvm::StringRef> choices,
              llvm::StringRef help);
  void flag(llvm::StringRef name, bool &value, llvm::StringRef help);
  /// Lets `-LETTER VALUE` stand for `--name VALUE`, a flag that was added before.
  void shortName(llvm::StringRef name, char letter);

  /// Fails with GIRIH_INVALID. `--help` and `-h` set `helpWanted` and end it.
  llvm::Error parse(llvm::ArrayRef<const char *> arguments);
  bool helpWanted() const { return help; }
  /// The table of flags, one line each.
  std::string describe() const;

private:
  enum class Kind { Text, Integer, Unsigned, Number, Choice, Flag };
  struct Entry {
    Kind kind;
    std::string name, metavar, help;
    void *value;
    int64_t least = 0, most = INT64_MAX;
    std::vector<std::string> choices;
    char letter = 0; ///< 0: there is none
    bool mayBeEmpty = false, given = false;
  };

  Entry &add(Kind kind, llvm::StringRef name, void *value, llvm::StringRef metavar,
             llvm::StringRef help);
  llvm::Error unknown(llvm::StringRef name) const;
  static llvm::Error set(Entry &entry, llvm::StringRef text);

  std::vector<Entry> entries;
  bool help = false;
};

} // namespace girih

#endif // GIRIH_TOOLS_COMMON_FLAGS_H
