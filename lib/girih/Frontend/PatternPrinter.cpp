//===- PatternPrinter.cpp - Trees as text ---------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints what the parser reads back into an equal tree, with the fewest
// parentheses. Works off an explicit stack, since a tree that nobody has
// validated may be of any depth.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Pattern.h"
#include "girih/Frontend/PatternDetail.h"

#include <cctype>
#include <fmt/format.h>
#include <utility>

using namespace girih;

const char *detail::kindName(PatternKind kind) {
  switch (kind) {
  case PatternKind::Full:
    return "full";
  case PatternKind::Empty:
    return "empty";
  case PatternKind::Causal:
    return "causal";
  case PatternKind::Window:
    return "window";
  case PatternKind::Dilated:
    return "dilated";
  case PatternKind::Strided:
    return "strided";
  case PatternKind::Chunk:
    return "chunk";
  case PatternKind::Columns:
    return "columns";
  case PatternKind::GlobalColumns:
    return "global_columns";
  case PatternKind::GlobalRows:
    return "global_rows";
  case PatternKind::Global:
    return "global";
  case PatternKind::Blockwise:
    return "blockwise";
  case PatternKind::Segments:
    return "segments";
  case PatternKind::RandomBlocks:
    return "random_blocks";
  case PatternKind::BlockTable:
    return "block_table";
  case PatternKind::Neighborhood:
    return "neighborhood";
  case PatternKind::Heads:
    return "heads";
  case PatternKind::Union:
    return "union";
  case PatternKind::Intersect:
    return "intersection";
  case PatternKind::Subtract:
    return "difference";
  case PatternKind::Complement:
    return "complement";
  case PatternKind::Predicate:
    return "predicate";
  }
  return "pattern";
}

/// How tightly a printed pattern binds.
static int precedence(const PatternNode &node) {
  switch (node.kind) {
  case PatternKind::Union:
  case PatternKind::Subtract:
    return 1;
  case PatternKind::Intersect:
    return 2;
  default:
    return 3;
  }
}

static int precedence(const Expr &expr) {
  switch (expr.kind) {
  case ExprKind::Or:
    return 1;
  case ExprKind::And:
    return 2;
  case ExprKind::Lt:
  case ExprKind::Le:
  case ExprKind::Gt:
  case ExprKind::Ge:
  case ExprKind::Eq:
  case ExprKind::Ne:
    return 3;
  case ExprKind::Add:
  case ExprKind::Sub:
    return 4;
  case ExprKind::Mul:
  case ExprKind::Div:
  case ExprKind::Mod:
    return 5;
  default:
    return 6;
  }
}

static const char *spelling(ExprKind kind) {
  switch (kind) {
  case ExprKind::Add:
    return " + ";
  case ExprKind::Sub:
    return " - ";
  case ExprKind::Mul:
    return " * ";
  case ExprKind::Div:
    return " / ";
  case ExprKind::Mod:
    return " % ";
  case ExprKind::Lt:
    return " < ";
  case ExprKind::Le:
    return " <= ";
  case ExprKind::Gt:
    return " > ";
  case ExprKind::Ge:
    return " >= ";
  case ExprKind::Eq:
    return " == ";
  case ExprKind::Ne:
    return " != ";
  case ExprKind::And:
    return " && ";
  case ExprKind::Or:
    return " || ";
  case ExprKind::Neg:
    return "-";
  case ExprKind::Not:
    return "!";
  default:
    return "";
  }
}

const char *detail::functionName(ExprKind kind) {
  switch (kind) {
  case ExprKind::Min:
    return "min";
  case ExprKind::Max:
    return "max";
  case ExprKind::Abs:
    return "abs";
  case ExprKind::ToFloat:
    return "float";
  case ExprKind::Exp:
    return "exp";
  case ExprKind::Exp2:
    return "exp2";
  case ExprKind::Log:
    return "log";
  case ExprKind::Log2:
    return "log2";
  case ExprKind::Sqrt:
    return "sqrt";
  case ExprKind::Rsqrt:
    return "rsqrt";
  case ExprKind::Tanh:
    return "tanh";
  case ExprKind::Sigmoid:
    return "sigmoid";
  case ExprKind::Erf:
    return "erf";
  case ExprKind::Sin:
    return "sin";
  case ExprKind::Cos:
    return "cos";
  case ExprKind::Floor:
    return "floor";
  case ExprKind::Pow:
    return "pow";
  case ExprKind::Where:
    return "where";
  default:
    return nullptr;
  }
}

/// The shortest digits that are this float again, marked as a float.
static std::string literal(float value) {
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".einf") == std::string::npos ? text + ".0" : text;
}

static const char *variableName(Var var) {
  static const char *const names[] = {"b", "h", "q", "k", "nq", "nk"};
  return names[static_cast<int>(var)];
}

static std::string list(const std::vector<int64_t> &values, const std::string &name = {}) {
  if (!name.empty())
    return girih::detail::printFile(name);
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i)
      text += ", ";
    text += std::to_string(values[i]);
  }
  return text + "]";
}

std::string detail::printFile(const std::string &file) {
  bool plain = !file.empty();
  for (unsigned char c : file)
    plain &= c < 0x80 && (std::isalnum(c) || c == '_' || c == '-' || c == '.' || c == '/');
  if (plain)
    return "@" + file;
  std::string text = "@\"";
  for (char c : file) {
    if (c == '"' || c == '\\')
      text += '\\';
    text += c;
  }
  return text + "\"";
}

namespace {

/// Something that is still to be printed: a node, or text.
struct Item {
  const PatternNode *pattern = nullptr;
  const Expr *expr = nullptr;
  std::string text;
};

class Printer {
public:
  std::string print(Item root) {
    stack.push_back(std::move(root));
    while (!stack.empty()) {
      Item item = std::move(stack.back());
      stack.pop_back();
      if (!item.pattern && !item.expr) {
        out += item.text;
        continue;
      }
      parts.clear();
      if (item.pattern)
        expand(*item.pattern);
      else
        expand(*item.expr);
      for (size_t i = parts.size(); i-- > 0;)
        stack.push_back(std::move(parts[i]));
    }
    return std::move(out);
  }

private:
  void text(std::string value) { parts.push_back({nullptr, nullptr, std::move(value)}); }

  template <typename Node> void child(const Node *node, int minPrecedence) {
    if (!node) {
      text("<none>");
      return;
    }
    bool parens = precedence(*node) < minPrecedence;
    if (parens)
      text("(");
    Item item;
    if constexpr (std::is_same_v<Node, Expr>)
      item.expr = node;
    else
      item.pattern = node;
    parts.push_back(std::move(item));
    if (parens)
      text(")");
  }

  void expand(const Expr &expr);
  void expand(const PatternNode &node);
  void operands(const PatternNode &node, const char *sign, int level);
  void arguments(const PatternNode &node);

  std::string out;
  std::vector<Item> stack, parts;
};

} // namespace

void Printer::expand(const Expr &expr) {
  switch (expr.kind) {
  case ExprKind::Constant:
    return text(std::to_string(expr.value));
  case ExprKind::Variable:
    return text(variableName(expr.var));
  case ExprKind::Literal:
    return text(literal(expr.real));
  case ExprKind::Score:
    return text("score");
  case ExprKind::True:
    return text("true");
  case ExprKind::False:
    return text("false");
  case ExprKind::Neg:
  case ExprKind::Not:
    text(spelling(expr.kind));
    return child(expr.lhs.get(), 6);
  case ExprKind::Lookup:
    text(expr.table ? detail::printFile(expr.table->name) + "[" : "<none>[");
    for (size_t i = 0; i < expr.indices.size(); ++i) {
      if (i)
        text(", ");
      child(expr.indices[i].get(), 0);
    }
    return text("]");
  default: {
    if (const char *name = detail::functionName(expr.kind)) {
      text(std::string(name) + "(");
      if (expr.kind == ExprKind::Where) {
        child(expr.condition.get(), 0);
        text(", ");
      }
      child(expr.lhs.get(), 0);
      if (!detail::isUnary(expr.kind)) {
        text(", ");
        child(expr.rhs.get(), 0);
      }
      return text(")");
    }
    // Left-associative; comparisons do not chain, so both sides bind tighter.
    int level = precedence(expr);
    child(expr.lhs.get(), level == 3 ? 4 : level);
    text(spelling(expr.kind));
    return child(expr.rhs.get(), level + 1);
  }
  }
}

/// A left-associative chain. A first operand of the same kind would have been
/// flattened, except in a difference.
void Printer::operands(const PatternNode &node, const char *sign, int level) {
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (i)
      text(sign);
    child(node.children[i].get(), i ? level + 1 : level);
  }
}

void Printer::expand(const PatternNode &node) {
  switch (node.kind) {
  case PatternKind::Union:
    return operands(node, " | ", 1);
  case PatternKind::Subtract:
    return operands(node, " - ", 1);
  case PatternKind::Intersect:
    return operands(node, " & ", 2);
  case PatternKind::Complement:
    text("~");
    return child(node.children.empty() ? nullptr : node.children[0].get(), 3);
  case PatternKind::Predicate:
    text("{ ");
    child(node.expr.get(), 0);
    return text(" }");
  case PatternKind::Full:
  case PatternKind::Empty:
  case PatternKind::Causal:
    return text(detail::kindName(node.kind));
  default:
    text(std::string(detail::kindName(node.kind)) + "(");
    arguments(node);
    return text(")");
  }
}

void Printer::arguments(const PatternNode &node) {
  std::string args;
  auto put = [&args](const char *name, const std::string &value) {
    args += (args.empty() ? "" : ", ") + std::string(name) + "=" + value;
  };
  auto putInt = [&put](const char *name, int64_t value) { put(name, std::to_string(value)); };
  switch (node.kind) {
  case PatternKind::Window:
  case PatternKind::Dilated:
    if (node.left)
      putInt("left", *node.left);
    if (node.right)
      putInt("right", *node.right);
    if (node.kind == PatternKind::Dilated)
      putInt("dilation", node.dilation);
    break;
  case PatternKind::Strided:
    putInt("stride", node.stride);
    break;
  case PatternKind::Chunk:
    putInt("size", node.size);
    break;
  case PatternKind::Columns:
    putInt("period", node.period);
    putInt("lo", node.lo);
    putInt("hi", node.hi);
    break;
  case PatternKind::GlobalColumns:
  case PatternKind::GlobalRows:
  case PatternKind::Global:
    if (node.first || !node.last)
      putInt("first", node.first);
    if (node.last)
      putInt("last", node.last);
    break;
  case PatternKind::Blockwise:
    child(node.children.empty() ? nullptr : node.children[0].get(), 0);
    args = ", size=" + std::to_string(node.size);
    break;
  case PatternKind::Segments:
    put("offsets", list(node.offsets, node.file));
    break;
  case PatternKind::RandomBlocks:
    putInt("size", node.size);
    putInt("count", node.count);
    put("seed", std::to_string(node.seed));
    break;
  case PatternKind::BlockTable:
    if (!node.file.empty()) {
      args = detail::printFile(node.file);
      break;
    }
    putInt("size", node.size);
    put("indptr", list(node.indptr, node.indptrName));
    put("indices", list(node.indices, node.indicesName));
    if (node.tableHeads != 1)
      putInt("heads", node.tableHeads);
    break;
  case PatternKind::Neighborhood: {
    put("grid", list(node.grid));
    put("kernel", list(node.kernel));
    std::vector<int64_t> ones(node.grid.size(), 1);
    if (node.dilations != ones)
      put("dilation", list(node.dilations));
    if (node.strides != ones)
      put("stride", list(node.strides));
    if (node.causal != std::vector<bool>(node.grid.size(), false)) {
      std::string flags;
      for (bool flag : node.causal)
        flags += std::string(flags.empty() ? "" : ", ") + (flag ? "true" : "false");
      put("causal", "[" + flags + "]");
    }
    break;
  }
  case PatternKind::Heads:
    for (size_t i = 0; i < node.children.size(); ++i) {
      std::string range = i ? ", " : "";
      if (i < node.headBegin.size() && i < node.headEnd.size()) {
        range += std::to_string(node.headBegin[i]);
        if (node.headEnd[i] != node.headBegin[i])
          range += ".." + std::to_string(node.headEnd[i]);
      }
      text(range + ": ");
      child(node.children[i].get(), 0);
    }
    break;
  default:
    break;
  }
  text(args);
}

std::string detail::printExpr(const ExprRef &expr) {
  if (!expr)
    return "<none>";
  return Printer().print({nullptr, expr.get(), ""});
}

std::string Pattern::str() const {
  if (!node)
    return "<none>";
  return Printer().print({node.get(), nullptr, ""});
}
