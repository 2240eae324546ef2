//===- Program.cpp - A checked and analysed map program ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs come from kernels that another build compiled, so they are checked
// in full before anything indexes by them.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "../Error.h"

#include <algorithm>
#include <cinttypes>

using namespace girih;

/// Forms longer than this are bounded operand by operand: inexact, but sound.
static constexpr size_t kMaxTerms = 16;
/// Factors stay within this, so that sums of kMaxTerms bounds fit 128 bits.
static constexpr int64_t kMaxFactor = int64_t{1} << 56;

static bool isBoolean(int32_t op) { return op >= GIRIH_MAP_TRUE; }

int girih::numOperands(int32_t op) {
  switch (op) {
  case GIRIH_MAP_CONST:
  case GIRIH_MAP_VAR:
  case GIRIH_MAP_TRUE:
  case GIRIH_MAP_FALSE:
  case GIRIH_MAP_SAME_SEGMENT:
  case GIRIH_MAP_IN_TABLE:
    return 0;
  case GIRIH_MAP_FLOORDIV:
  case GIRIH_MAP_MOD:
  case GIRIH_MAP_SEG_BEGIN:
  case GIRIH_MAP_SEG_END:
  case GIRIH_MAP_LOOKUP:
  case GIRIH_MAP_GE0:
  case GIRIH_MAP_EQ0:
  case GIRIH_MAP_NOT:
    return 1;
  case GIRIH_MAP_ADD:
  case GIRIH_MAP_MUL:
  case GIRIH_MAP_MIN:
  case GIRIH_MAP_MAX:
  case GIRIH_MAP_PLACE:
  case GIRIH_MAP_AND:
  case GIRIH_MAP_OR:
    return 2;
  default:
    return -1;
  }
}

static bool takesBooleans(int32_t op) {
  return op == GIRIH_MAP_AND || op == GIRIH_MAP_OR || op == GIRIH_MAP_NOT;
}

/// Whether node `index` is a lookup that has no value here.
static bool isFloatLookup(const GirihMapProgram &program, int32_t index) {
  const GirihMapNode &node = program.nodes[index];
  return node.op == GIRIH_MAP_LOOKUP && program.tables[node.imm].kind == GIRIH_TABLE_LOOKUP_F32;
}

/// Whether `op`, which names a table, reads tables of `kind`.
static bool readsKind(int32_t op, int32_t kind) {
  if (op == GIRIH_MAP_LOOKUP)
    return isLookupTable(kind);
  if (op == GIRIH_MAP_IN_TABLE)
    return kind == GIRIH_TABLE_BLOCKS || kind == GIRIH_TABLE_RANDOM;
  return kind == GIRIH_TABLE_SEGMENTS;
}

/// What is wrong with the chain of places below a lookup, whose operands are in order.
static const char *malformedLookup(const GirihMapProgram &program, const GirihMapNode &lookup) {
  const GirihMapNode *place = &program.nodes[lookup.a];
  for (int64_t d = program.tables[lookup.imm].count - 1; d > 0; --d) {
    if (place->op != GIRIH_MAP_PLACE || place->imm != 4 * lookup.imm + d)
      return "a place that is not of its table";
    place = &program.nodes[place->a];
  }
  return nullptr;
}

LookupIndices girih::lookupIndices(const GirihMapProgram &program, const GirihMapNode &lookup) {
  LookupIndices indices{};
  indices.count = static_cast<int32_t>(program.tables[lookup.imm].count);
  int32_t at = lookup.a;
  for (int32_t d = indices.count - 1; d > 0; --d) {
    indices.node[d] = program.nodes[at].b;
    at = program.nodes[at].a;
  }
  indices.node[0] = at;
  return indices;
}

/// Why node `index` is malformed, or null.
static const char *malformed(const GirihMapProgram &program, int32_t index) {
  const GirihMapNode &node = program.nodes[index];
  int count = numOperands(node.op);
  if (count < 0)
    return "an unknown operation";
  const int32_t operands[2] = {node.a, node.b};
  for (int i = 0; i < count; ++i) {
    if (operands[i] < 0 || operands[i] >= index)
      return "an operand that is not an earlier node";
    if (isBoolean(program.nodes[operands[i]].op) != takesBooleans(node.op) ||
        isFloatLookup(program, operands[i]))
      return "an operand of the wrong type";
  }
  switch (node.op) {
  case GIRIH_MAP_VAR:
    return node.imm < GIRIH_VAR_B || node.imm > GIRIH_VAR_END ? "an unknown variable" : nullptr;
  case GIRIH_MAP_FLOORDIV:
  case GIRIH_MAP_MOD:
    return node.imm <= 0 ? "a divisor that is not positive" : nullptr;
  case GIRIH_MAP_SEG_BEGIN:
  case GIRIH_MAP_SEG_END:
  case GIRIH_MAP_SAME_SEGMENT:
  case GIRIH_MAP_IN_TABLE:
  case GIRIH_MAP_LOOKUP:
    if (node.imm < 0 || node.imm >= program.num_tables)
      return "an unknown table";
    if (!readsKind(node.op, program.tables[node.imm].kind))
      return "a table of the wrong kind";
    return node.op == GIRIH_MAP_LOOKUP ? malformedLookup(program, node) : nullptr;
  case GIRIH_MAP_PLACE: {
    int64_t table = node.imm >> 2;
    if (table < 0 || table >= program.num_tables || !isLookupTable(program.tables[table].kind))
      return "an unknown table";
    int64_t dimension = node.imm & 3;
    return dimension == 0 || dimension >= program.tables[table].count ? "an unknown dimension"
                                                                      : nullptr;
  }
  default:
    return nullptr;
  }
}

int Program::checkTerms(const GirihMapTerm *terms, int32_t count, uint8_t varied, const char *name,
                        int64_t &end, GirihStatus *status) const {
  for (int32_t t = 0; t < count; ++t) {
    const GirihMapTerm &term = terms[t];
    if (term.num_guards < 0 || term.num_lower < 0 || term.num_upper < 0)
      return fail(status, GIRIH_INVALID, "malformed map program: %s term %d has a negative count",
                  name, t);
    if (term.first != end)
      return fail(status, GIRIH_INVALID,
                  "malformed map program: expected the nodes of %s term %d at %" PRId64
                  ", behind those of the term before it, but got %d",
                  name, t, end, term.first);
    int64_t total = int64_t{term.num_guards} + term.num_lower + term.num_upper;
    end += total;
    for (int64_t i = 0; i < total; ++i) {
      int32_t node = program->term_nodes[term.first + i];
      if (node < 0 || node >= program->num_nodes ||
          isBoolean(program->nodes[node].op) != (i < term.num_guards) || (deps[node] & varied))
        return fail(status, GIRIH_INVALID, "malformed map program: %s term %d has a bad node %d",
                    name, t, node);
    }
  }
  return GIRIH_OK;
}

int Program::check(GirihStatus *status) const {
  const GirihMapProgram &p = *program;
  for (int32_t i = 0; i < p.num_tables; ++i) {
    const GirihMapTable &table = p.tables[i];
    constexpr int operandsOf[] = {1, 2, 0, 1, 1};
    bool isKnown = table.kind >= GIRIH_TABLE_SEGMENTS && table.kind <= GIRIH_TABLE_LOOKUP_F32;
    int operands = isKnown ? operandsOf[table.kind] : 0;
    if (!isKnown || table.unit <= 0 || table.unit > GIRIH_MAX_TOKENS || table.count < 0 ||
        (table.kind == GIRIH_TABLE_BLOCKS && table.count == 0) ||
        (isLookupTable(table.kind) && (table.count < 1 || table.count > 4)) ||
        (operands > 0 && (table.operand < 0 || table.operand > p.num_operands - operands)))
      return fail(status, GIRIH_INVALID,
                  "malformed map program: table %d has kind %d, unit %" PRId64 ", count %" PRId64
                  " and operand %d",
                  i, table.kind, table.unit, table.count, table.operand);
  }
  for (int32_t i = 0; i < p.num_nodes; ++i)
    if (const char *reason = malformed(p, i))
      return fail(status, GIRIH_INVALID, "malformed map program: node %d has %s", i, reason);
  if (p.root < 0 || p.root >= p.num_nodes || !isBoolean(p.nodes[p.root].op))
    return fail(status, GIRIH_INVALID, "malformed map program: root %d is not a boolean node",
                p.root);
  return GIRIH_OK;
}

int Program::analyze(const GirihMapProgram &source, GirihStatus *status) {
  program = &source;
  if (int code = check(status))
    return code;
  computeDependence();
  int64_t end = 0;
  if (int code = checkTerms(source.forward, source.num_forward, kOnK, "forward", end, status))
    return code;
  if (int code = checkTerms(source.reverse, source.num_reverse, kOnQ, "reverse", end, status))
    return code;
  computeForms();
  computeCongruences();
  return GIRIH_OK;
}

void Program::computeDependence() {
  deps.assign(static_cast<size_t>(size()), 0);
  for (int32_t i = 0; i < size(); ++i) {
    const GirihMapNode &n = node(i);
    uint8_t own = 0;
    if (n.op == GIRIH_MAP_VAR) {
      constexpr uint8_t ofVariable[] = {kOnBatch, kOnHead, kOnQ, kOnK, 0, 0, 0};
      own = ofVariable[n.imm];
    } else if (n.op == GIRIH_MAP_SAME_SEGMENT) {
      own = kOnQ | kOnK;
    } else if (n.op == GIRIH_MAP_IN_TABLE) {
      const GirihMapTable &table = program->tables[n.imm];
      bool perHead = table.kind == GIRIH_TABLE_RANDOM || table.count > 1;
      own = kOnQ | kOnK | (perHead ? kOnHead : 0);
    }
    int count = numOperands(n.op);
    if (count > 0)
      own |= deps[n.a];
    if (count > 1)
      own |= deps[n.b];
    deps[i] = own;
  }
}

/// a + factor * b of two sorted lists; false on overflow.
static bool addScaled(const std::vector<LinearTerm> &a, const std::vector<LinearTerm> &b,
                      int64_t factor, std::vector<LinearTerm> &sum) {
  sum.clear();
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    LinearTerm term{0, 0};
    bool takeA = i < a.size() && (j == b.size() || a[i].node <= b[j].node);
    bool takeB = j < b.size() && (i == a.size() || b[j].node <= a[i].node);
    if (takeB) {
      term.node = b[j].node;
      if (__builtin_mul_overflow(b[j].factor, factor, &term.factor))
        return false;
    }
    if (takeA) {
      term.node = a[i].node;
      if (__builtin_add_overflow(term.factor, a[i].factor, &term.factor))
        return false;
    }
    i += takeA;
    j += takeB;
    if (term.factor > kMaxFactor || term.factor < -kMaxFactor)
      return false;
    if (term.factor != 0)
      sum.push_back(term);
  }
  return sum.size() <= kMaxTerms;
}

static bool addScaled(const LinearForm &a, const LinearForm &b, int64_t factor, LinearForm &sum) {
  int64_t scaled;
  return addScaled(a.varying, b.varying, factor, sum.varying) &&
         addScaled(a.fixed, b.fixed, factor, sum.fixed) &&
         !__builtin_mul_overflow(b.constant, factor, &scaled) &&
         !__builtin_add_overflow(a.constant, scaled, &sum.constant);
}

static bool isConstant(const LinearForm &form) {
  return form.varying.empty() && form.fixed.empty();
}

void Program::computeForms() {
  forms.assign(static_cast<size_t>(size()), LinearForm{});
  atoms.assign(static_cast<size_t>(size()), 0);
  // Equal variables share one atom even when the program repeats the node.
  int32_t firstOf[GIRIH_VAR_END + 1];
  std::fill(std::begin(firstOf), std::end(firstOf), -1);
  for (int32_t i = 0; i < size(); ++i) {
    const GirihMapNode &n = node(i);
    if (isBoolean(n.op))
      continue;
    LinearForm &form = forms[i];
    bool done = false;
    if (n.op == GIRIH_MAP_CONST) {
      form.constant = n.imm;
      done = true;
    } else if (n.op == GIRIH_MAP_ADD) {
      done = addScaled(forms[n.a], forms[n.b], 1, form);
    } else if (n.op == GIRIH_MAP_MUL && isConstant(forms[n.b])) {
      done = addScaled(LinearForm{}, forms[n.a], forms[n.b].constant, form);
    } else if (n.op == GIRIH_MAP_MUL && isConstant(forms[n.a])) {
      done = addScaled(LinearForm{}, forms[n.b], forms[n.a].constant, form);
    } else if (n.op == GIRIH_MAP_VAR) {
      int32_t &first = firstOf[n.imm];
      if (first < 0)
        first = i;
      form = LinearForm{};
      (varies(i) ? form.varying : form.fixed).push_back({first, 1});
      atoms[i] = first == i;
      done = true;
    }
    if (!done) {
      form = LinearForm{};
      (varies(i) ? form.varying : form.fixed).push_back({i, 1});
      atoms[i] = 1;
    }
  }
}

void Program::computeCongruences() {
  congruenceOf.assign(static_cast<size_t>(size()), -1);
  for (int32_t i = 0; i < size(); ++i) {
    if (node(i).op != GIRIH_MAP_EQ0)
      continue;
    const LinearForm &form = forms[node(i).a];
    size_t count = form.varying.size();
    if (count == 0 || count > 2)
      continue;
    const GirihMapNode &first = node(form.varying[0].node);
    if (first.op != GIRIH_MAP_MOD)
      continue;
    Congruence result;
    result.modulus = first.imm;
    if (count == 1) {
      result.form = forms[first.a];
      result.factor = form.varying[0].factor;
    } else {
      const GirihMapNode &second = node(form.varying[1].node);
      if (second.op != GIRIH_MAP_MOD || second.imm != first.imm ||
          form.varying[0].factor != -form.varying[1].factor ||
          !addScaled(forms[first.a], forms[second.a], -1, result.form))
        continue;
    }
    congruenceOf[i] = static_cast<int32_t>(congruences.size());
    congruences.push_back(std::move(result));
  }
}

Plan Program::plan(const std::vector<int32_t> &roots) const {
  auto count = static_cast<size_t>(size());
  std::vector<uint8_t> point(count, 0), box(count, 0);
  for (int32_t root : roots)
    point[root] = box[root] = 1;
  auto need = [&](std::vector<uint8_t> &set, int32_t index) {
    if (varies(index))
      set[index] = 1;
  };
  Plan result;
  for (int32_t i = size() - 1; i >= 0; --i) {
    if (!varies(i))
      continue;
    const GirihMapNode &n = node(i);
    int operands = numOperands(n.op);
    if (point[i]) {
      result.points.push_back(i);
      if (operands > 0)
        need(point, n.a);
      if (operands > 1)
        need(point, n.b);
    }
    if (box[i]) {
      result.boxes.push_back(i);
      if (!isBoolean(n.op) && !isAtom(i)) {
        for (const LinearTerm &term : form(i).varying)
          box[term.node] = 1;
        continue;
      }
      if (operands > 0)
        need(box, n.a);
      if (operands > 1)
        need(box, n.b);
      if (const Congruence *c = congruence(i))
        for (const LinearTerm &term : c->form.varying)
          box[term.node] = 1;
    }
  }
  std::reverse(result.points.begin(), result.points.end());
  std::reverse(result.boxes.begin(), result.boxes.end());
  return result;
}
