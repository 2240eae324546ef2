//===- GirihOps.td - Every op of the girih dialect ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

include "girih/Attention/AttentionOps.td"
include "girih/Pattern/AlgebraOps.td"
include "girih/Pattern/LeafOps.td"
include "girih/Pattern/LookupOps.td"
include "girih/Pattern/PredicateOps.td"
include "girih/Pattern/TableOps.td"
