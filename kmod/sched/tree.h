/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tree of shares in order of a key, in which the first one that may use a
 * given resource is found in logarithmic time: each node knows the union of
 * what the nodes below it may use.
 */
#ifndef HVMM_SCHED_TREE_H
#define HVMM_SCHED_TREE_H

#include "sched/port.h"

/**
 * struct hvmm_node - a place in such a tree
 * @rb: the tree's own
 * @key: position; compared with wrap-around, so all keys in a tree lie within 2^63
 * @allowed: resources that it may use
 * @below: union of @allowed over the node and all below it
 * @in: it is in a tree
 */
struct hvmm_node {
	struct rb_node rb;
	u64 key;
	u32 allowed;
	u32 below;
	bool in;
};

/* Whether @a comes before @b, both in time or virtual time that may wrap around. */
static inline bool hvmm_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/**
 * hvmm_tree_insert - add a node, after those of the same key
 * @root: the tree
 * @node: the node, in no tree; its key and @allowed stay as they are while it is in one
 */
void hvmm_tree_insert(struct rb_root *root, struct hvmm_node *node);

/**
 * hvmm_tree_erase - remove a node
 * @root: the tree
 * @node: the node, in that tree
 */
void hvmm_tree_erase(struct rb_root *root, struct hvmm_node *node);

/**
 * hvmm_tree_first - the first node that may use some of the given resources
 * @root: the tree
 * @mask: the resources
 *
 * Return: the node or %NULL.
 */
struct hvmm_node *hvmm_tree_first(const struct rb_root *root, u32 mask);

#endif
