//===- TokenMutator.cpp - Mutations that know what a word is --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes changed at random hardly ever leave text that parses. This mutator works
// on words, numbers and signs: it changes numbers to interesting ones, copies,
// moves and drops runs of tokens, and splices two inputs. One time in four it
// leaves the work to libFuzzer's own mutations, which know the dictionary.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace {

using Tokens = std::vector<std::string_view>;

bool isWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Splits into words, runs of spaces and single signs; nothing is lost.
Tokens split(std::string_view text) {
  Tokens tokens;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin + 1;
    if (isWord(text[begin]))
      while (end < text.size() && isWord(text[end]))
        ++end;
    else if (text[begin] == ' ')
      while (end < text.size() && text[end] == ' ')
        ++end;
    tokens.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return tokens;
}

class Mutator {
public:
  explicit Mutator(unsigned seed) : random(seed) {}

  size_t below(size_t bound) {
    return bound < 2 ? 0 : std::uniform_int_distribution<size_t>(0, bound - 1)(random);
  }

  void mutate(Tokens &tokens) {
    size_t at = below(tokens.size()), from = below(tokens.size());
    // Mostly a few tokens, at times a whole statement.
    size_t count = 1 + below(below(4) ? 4 : 40);
    auto run = [&](size_t begin) {
      return Tokens(tokens.begin() + begin,
                    tokens.begin() + std::min(begin + count, tokens.size()));
    };
    switch (below(6)) {
    case 0:
    case 1:
      return changeNumber(tokens, at);
    case 2: // drop
      tokens.erase(tokens.begin() + at, tokens.begin() + std::min(at + count, tokens.size()));
      return;
    case 3: { // copy
      Tokens copy = run(from);
      tokens.insert(tokens.begin() + at, copy.begin(), copy.end());
      return;
    }
    case 4: { // replace one by another of its kind
      for (size_t i = 0; i < tokens.size(); ++i) {
        std::string_view other = tokens[(from + i) % tokens.size()];
        if (other != tokens[at] && isWord(other[0]) == isWord(tokens[at][0])) {
          tokens[at] = other;
          return;
        }
      }
      return;
    }
    default: // swap
      std::swap(tokens[at], tokens[from]);
    }
  }

  std::mt19937 random;

private:
  void changeNumber(Tokens &tokens, size_t at) {
    static constexpr std::string_view numbers[] = {"0",
                                                   "1",
                                                   "2",
                                                   "3",
                                                   "4",
                                                   "7",
                                                   "8",
                                                   "16",
                                                   "64",
                                                   "100",
                                                   "127",
                                                   "128",
                                                   "255",
                                                   "1000",
                                                   "65536",
                                                   "1048576",
                                                   "67108864",
                                                   "67108865",
                                                   "2147483647",
                                                   "2147483648",
                                                   "4294967295",
                                                   "4294967296",
                                                   "1099511627775",
                                                   "1099511627776",
                                                   "1099511627777",
                                                   "4611686018427387904",
                                                   "9223372036854775807",
                                                   "9223372036854775808",
                                                   "18446744073709551615",
                                                   "-1",
                                                   "-2",
                                                   "-9223372036854775808"};
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string_view &token = tokens[(at + i) % tokens.size()];
      if (std::isdigit(static_cast<unsigned char>(token[0]))) {
        token = numbers[below(std::size(numbers))];
        return;
      }
    }
  }
};

size_t join(const Tokens &tokens, uint8_t *data, size_t maxSize) {
  std::string text;
  for (std::string_view token : tokens)
    text += token;
  size_t size = std::min(text.size(), maxSize);
  std::memcpy(data, text.data(), size);
  return size;
}

} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize,
                                          unsigned seed) {
  Mutator mutator(seed);
  std::string text(reinterpret_cast<const char *>(data), size);
  Tokens tokens = split(text);
  if (tokens.empty() || mutator.below(4) == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  for (size_t i = 1 + mutator.below(3); i > 0 && !tokens.empty(); --i)
    mutator.mutate(tokens);
  return join(tokens, data, maxSize);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t firstSize,
                                            const uint8_t *second, size_t secondSize, uint8_t *out,
                                            size_t maxSize, unsigned seed) {
  Mutator mutator(seed);
  std::string_view a(reinterpret_cast<const char *>(first), firstSize);
  std::string_view b(reinterpret_cast<const char *>(second), secondSize);
  Tokens tokens = split(a), others = split(b);
  if (tokens.empty() || others.empty())
    return 0;
  size_t at = mutator.below(tokens.size()), from = mutator.below(others.size());
  size_t end = std::min(from + 1 + mutator.below(40), others.size());
  tokens.insert(tokens.begin() + at, others.begin() + from, others.begin() + end);
  return join(tokens, out, maxSize);
}
