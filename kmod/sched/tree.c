// SPDX-License-Identifier: GPL-2.0
#include "sched/tree.h"

static struct hvmm_node *node_of(const struct rb_node *rb)
{
	return rb ? rb_entry(rb, struct hvmm_node, rb) : NULL;
}

static u32 below(const struct rb_node *rb)
{
	return rb ? node_of(rb)->below : 0;
}

static bool compute(struct hvmm_node *node, bool exit)
{
	u32 mask = node->allowed | below(node->rb.rb_left) | below(node->rb.rb_right);

	if (exit && node->below == mask)
		return true;
	node->below = mask;
	return false;
}

RB_DECLARE_CALLBACKS(static, tree_callbacks, struct hvmm_node, rb, below, compute)

void hvmm_tree_insert(struct rb_root *root, struct hvmm_node *node)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		node_of(parent)->below |= node->allowed;
		if (hvmm_before(node->key, node_of(parent)->key))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	node->below = node->allowed;
	node->in = true;
	rb_link_node(&node->rb, parent, link);
	rb_insert_augmented(&node->rb, root, &tree_callbacks);
}

void hvmm_tree_erase(struct rb_root *root, struct hvmm_node *node)
{
	rb_erase_augmented(&node->rb, root, &tree_callbacks);
	node->in = false;
}

struct hvmm_node *hvmm_tree_first(const struct rb_root *root, u32 mask)
{
	struct hvmm_node *node = node_of(root->rb_node);

	if (!node || !(node->below & mask))
		return NULL;
	/* Some node in this part of the tree will do: the leftmost of them is wanted. */
	while (below(node->rb.rb_left) & mask || !(node->allowed & mask))
		node = node_of(below(node->rb.rb_left) & mask ? node->rb.rb_left :
								node->rb.rb_right);
	return node;
}
