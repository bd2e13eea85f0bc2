(* What an additive function composes, what it passes on, and what comes together only. *)
From mathcomp Require Import all_ssreflect all_algebra.
From companion Require Import basics minimum_norm.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Additive.
Variable F : realFieldType.
Add Ring ring_of_F : (ring_rules F).

(* Images in three channels; a function of three images is additive if it is a sum of one function of each. *)
Variables (I J K : Type).
Definition additive (f : I -> J -> K -> F) :=
  exists (g : I -> F) (h : J -> F) (k : K -> F), forall x y z, f x y z = g x + h y + k z.

(* prop-pair-error. The error on a new pair is a sum of errors on triples that were seen or are made of digits.
   Must fail: - e x u v - e x u y ==> - e x u v *)
Theorem pair_error (f truth : I -> J -> K -> F) : additive f -> additive truth ->
  let e x y z := f x y z - truth x y z in forall a x b u c v y,
  e a b c = e a u v + e x b y - e x u v - e x u y + e x u c.
Proof. by move=> [g [h [k sum]]] [g' [h' [k' sum']]] e a x b u c v y; rewrite /e !sum !sum'; ring. Qed.

(* prop-passed-on. A label of the triple (a, u, v) that is too large by delta is passed on whole.
   Must fail: = truth a u v + delta ==> = truth a u v - delta *)
Theorem label_error (f truth stated : I -> J -> K -> F) delta : additive f -> additive truth ->
  let e x y z := f x y z - truth x y z in forall a x b u c v y, stated a u v = truth a u v + delta ->
  e a b c = delta + (f a u v - stated a u v) + e x b y - e x u v - e x u y + e x u c.
Proof.
by move=> [g [h [k sum]]] [g' [h' [k' sum']]] e a x b u c v y ->; rewrite /e !sum !sum'; ring.
Qed.

End Additive.

Section Two_slots.
Variables (F : realFieldType) (I J : Type) (f : I -> J -> F).
Add Ring ring_of_F : (ring_rules F).

(* A path of the training graph: from the pair (a, b) through pairs (left, right). Its signed sum adds each pair
   (a_j, b_j) and takes off the pair (a_{j+1}, b_j) between it and the next. *)
Fixpoint along (a : I) (b : J) (path : seq (I * J)) : F :=
  if path is (a', b') :: more then f a b - f a' b + along a' b' more else f a b.

(* thm-connected. The value of a pair whose two ends a path of training pairs connects is the signed sum along the path.
   Must fail: f a (last b ==> f a (head b *)
Theorem connected g h a b path :
  (forall x y, f x y = g x + h y) -> along a b path = f a (last b [seq step.2 | step <- path]).
Proof.
move=> sum; elim: path a b => [|[a' b'] more IH] a b //=; rewrite IH !sum; apply: subr0_eq; ring.
Qed.

End Two_slots.

Section Together.
Variables (F : realFieldType) (I : eqType) (a b : I).
Add Ring ring_of_F : (ring_rules F).

(* What is added when the credit of two images that come together only is split in another way. *)
Definition moved (tau : F) (w : I) : F := tau * ((w == a)%:R - (w == b)%:R).
Definition shift tau x y z := moved tau x + moved tau y + moved tau z.

(* prop-bound-pair. 1. The other split is additive too ...
   Must fail: additive f ->  ==> nothing *)
Theorem shift_is_additive tau (f : I -> I -> I -> F) : additive f -> additive (fun x y z => f x y z + shift tau x y z).
Proof.
move=> [g [h [k sum]]]; exists (fun x => g x + moved tau x), (fun y => h y + moved tau y), (fun z => k z + moved tau z).
by move=> x y z; rewrite sum /shift; apply: subr0_eq; ring.
Qed.

Lemma shift_counts tau x y z :
  shift tau x y z = tau * ((count_mem a [:: x; y; z])%:R - (count_mem b [:: x; y; z])%:R).
Proof.
rewrite /shift /moved -!mulrDr /= !addn0 !natrD !opprD; congr (tau * _).
by rewrite [RHS]addrACA [X in _ = _ + X]addrACA [RHS]addrA.
 Qed.

(* prop-bound-pair. 1. ... and the same on every triple that holds a as often as b, as the one triple that was seen does.
   Must fail: shift tau x y z = 0 ==> shift tau x y z = tau *)
Theorem shift_is_unseen tau x y z : count_mem a [:: x; y; z] = count_mem b [:: x; y; z] -> shift tau x y z = 0.
Proof. by rewrite shift_counts => ->; rewrite subrr mulr0. Qed.

(* prop-bound-pair. 2. On a triple that holds a once and b never the two differ by tau, which can be any number.
   Must fail: count_mem b [:: x; y; z] = 0%N ==> count_mem b [:: x; y; z] = 1%N *)
Theorem shift_is_any tau x y z :
  count_mem a [:: x; y; z] = 1%N -> count_mem b [:: x; y; z] = 0%N -> shift tau x y z = tau.
Proof. by rewrite shift_counts => -> ->; rewrite subr0 mulr1. Qed.

(* prop-bound-pair. 3. If the error is additive, 0 on the triple (a, b, z) and on all triples of other images, then the price of a in the
   first channel is that of b in the second with the other sign.
   Must fail: e a u v = - e u b v ==> e a u v = e u b v *)
Theorem split_is_opposite (e : I -> I -> I -> F) z u v :
  additive e -> a != b -> z != a -> z != b -> u != a -> u != b -> v != a -> v != b -> e a b z = 0 ->
  (forall x y w, x != a -> x != b -> y != a -> y != b -> w != a -> w != b -> e x y w = 0) -> e a u v = - e u b v.
Proof.
move=> [g [h [k sum]]] _ za zb ua ub va vb seen others.
have one := others u u v ua ub ua ub va vb; have two := others u u z ua ub ua ub za zb.
move: seen one two; rewrite !sum => /eqP; rewrite addr_eq0 => /eqP seen /eqP; rewrite addr_eq0 => /eqP one.
move=> /eqP; rewrite addr_eq0 => /eqP two; have same : k v = k z by apply: oppr_inj; rewrite -one two.
have kv : k z = - (g u + h u) by rewrite two opprK.
have gh : g a + h b = g u + h u by rewrite seen two.
have ga : g a = g u + h u - h b by rewrite -gh addrK.
by rewrite same kv ga; apply: subr0_eq; ring.
Qed.

End Together.
