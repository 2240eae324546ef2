//===- PlanImage.cpp - The bytes of a plan, before they are copied --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the lists of a plan lie in its one piece of memory.
//
//===----------------------------------------------------------------------===//

#include "PlanImage.h"

#include "../Error.h"
#include "../LaunchChecks.h"
#include "../map/BlockMapImpl.h"
#include "PlanTasks.h"

#include <cinttypes>
#include <cstring>

using namespace girih;
using namespace girih::cuda;

namespace {

/// Hands out places in the image.
class Layout {
public:
  explicit Layout(int64_t size = 0) : size(size) {}
  /// Room for `bytes`; returns where it begins.
  int64_t add(int64_t bytes) {
    constexpr int64_t align = 256;
    int64_t at = size;
    size += ceilDiv(bytes, align) * align;
    return at;
  }
  int64_t size;
};

} // namespace

/// Entries of `indptr`.
static int64_t numOffsets(const GirihBoundTable &table, int64_t heads) {
  return (table.per_head ? heads : 1) * (table.rows + 1);
}

/// Places the lists of `table`, whose lengths follow from its fields.
static bool isArray(const GirihBoundTable &table) {
  return table.kind == GIRIH_TABLE_LOOKUP || table.kind == GIRIH_TABLE_LOOKUP_F32;
}

static PlanImage::TablePlaces placeTable(const GirihBoundTable &table, int64_t heads,
                                         Layout &layout) {
  if (isArray(table))
    return {layout.add(table.num_units * int64_t{sizeof(int32_t)}), -1, -1};
  int64_t offsets = numOffsets(table, heads);
  int64_t indptr = layout.add(offsets * int64_t{sizeof(int64_t)});
  if (table.kind == GIRIH_TABLE_SEGMENTS)
    return {layout.add(table.num_units * int64_t{sizeof(int32_t)}), indptr, -1};
  return {-1, indptr, layout.add(table.indptr[offsets - 1] * int64_t{sizeof(int32_t)})};
}

/// Copies the lists of `table` to their places in `bytes`.
static void copyTable(const GirihBoundTable &table, const PlanImage::TablePlaces &places,
                      int64_t heads, char *bytes) {
  auto copyWords = [&](int64_t place, const int32_t *from, int64_t count) {
    if (count)
      memcpy(bytes + place, from, static_cast<size_t>(count) * sizeof(int32_t));
  };
  if (places.ids >= 0)
    copyWords(places.ids, table.ids, table.num_units);
  if (isArray(table))
    return;
  int64_t offsets = numOffsets(table, heads);
  memcpy(bytes + places.indptr, table.indptr, static_cast<size_t>(offsets) * sizeof(int64_t));
  if (places.ids < 0)
    copyWords(places.indices, table.indices, table.indptr[offsets - 1]);
}

int64_t PlanImage::addWorkspace(int64_t bytes) {
  Layout layout{totalBytes};
  int64_t at = layout.add(bytes);
  totalBytes = layout.size;
  return at;
}

void PlanImage::relocate(const void *base) {
  for (size_t i = 0; i < tables.size(); ++i) {
    GirihBoundTable table = tables[i];
    auto address = [&](int64_t place) { return static_cast<const char *>(base) + place; };
    if (places[i].indptr >= 0)
      table.indptr = reinterpret_cast<const int64_t *>(address(places[i].indptr));
    if (places[i].ids >= 0)
      table.ids = reinterpret_cast<const int32_t *>(address(places[i].ids));
    else
      table.indices = reinterpret_cast<const int32_t *>(address(places[i].indices));
    memcpy(bytes.data() + tablesAt + i * sizeof(table), &table, sizeof(table));
  }
}

/// Copies `values` to their place in `bytes`.
template <typename T>
static void copyList(const std::vector<T> &values, int64_t place, std::vector<char> &bytes) {
  if (!values.empty())
    memcpy(bytes.data() + place, values.data(), values.size() * sizeof(T));
}

template <typename T> static int64_t placeList(const std::vector<T> &values, Layout &layout) {
  return layout.add(static_cast<int64_t>(values.size() * sizeof(T)));
}

/// Places the workspace of the parts behind the bytes; GIRIH_UNSUPPORTED when there
/// is no such amount of memory.
static int placeWorkspace(const GirihKernelDesc &kernel, int32_t slots, Layout &layout,
                          PlanImage &image, GirihStatus *status) {
  Wide rows = Wide(slots) * kernel.tile_q;
  // Rows as the kernel stores them: whole groups of 8 columns.
  const int64_t columns = ceilDiv(kernel.v_dim, 8) * 8;
  Wide bytes = rows * (columns + 1) * int64_t{sizeof(float)};
  if (bytes > INT64_MAX / 2)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected a workspace of less than 2^62 bytes, but got %d parts of %d x %d f32",
                slots, kernel.tile_q, kernel.v_dim);
  int64_t lseBytes = static_cast<int64_t>(rows) * int64_t{sizeof(float)};
  image.partialOAt = layout.add(lseBytes * columns);
  image.partialLseAt = layout.add(lseBytes);
  image.totalBytes = layout.size;
  return GIRIH_OK;
}

int cuda::buildPlanImage(const GirihKernelDesc &kernel, const GirihBlockMap &map,
                         const GirihMapProgram &program, const GirihLaunch &launch, int32_t blocks,
                         bool maySplit, PlanImage &image, GirihStatus *status) {
  if (map.grid.reverse)
    return fail(status, GIRIH_INVALID, "expected a forward block map, but got a reverse one");
  if (int code = checkMapLengths(kernel, launch, map.params, status))
    return code;
  if (program.num_tables != map.tables.size())
    return fail(status, GIRIH_INVALID,
                "expected the program of the block map, with %" PRId64 " tables, but got %d",
                map.tables.size(), program.num_tables);
  PlanTasks listed;
  if (int code = listPlanTasks(kernel, map, launch, blocks, maySplit, listed, status))
    return code;

  image = PlanImage{};
  image.numTasks = static_cast<int32_t>(listed.tasks.size());
  image.numBlocks = static_cast<int32_t>(listed.blockBegin.size()) - 1;
  image.numMerges = static_cast<int32_t>(listed.merges.size());
  image.numSlots = listed.numSlots;
  image.numRuns = static_cast<int64_t>(listed.runs.size());
  image.tables.assign(map.tables.data(), map.tables.data() + map.tables.size());
  Layout layout;
  image.tasksAt = placeList(listed.tasks, layout);
  image.blocksAt = placeList(listed.blockBegin, layout);
  image.mergesAt = placeList(listed.merges, layout);
  image.runsAt = placeList(listed.runs, layout);
  image.tablesAt = placeList(image.tables, layout);
  for (const GirihBoundTable &table : image.tables)
    image.places.push_back(placeTable(table, map.params.heads, layout));
  // Zeros between the parts: initialised memory makes compute-sanitizer useful.
  image.bytes.assign(static_cast<size_t>(layout.size), '\0');
  if (int code = placeWorkspace(kernel, image.numSlots, layout, image, status))
    return code;

  copyList(listed.tasks, image.tasksAt, image.bytes);
  copyList(listed.blockBegin, image.blocksAt, image.bytes);
  copyList(listed.merges, image.mergesAt, image.bytes);
  copyList(listed.runs, image.runsAt, image.bytes);
  for (size_t i = 0; i < image.tables.size(); ++i)
    copyTable(image.tables[i], image.places[i], map.params.heads, image.bytes.data());
  return GIRIH_OK;
}
