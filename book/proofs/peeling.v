(* Peeling: a row with one unknown feature tells that feature, and what is peeled is told by every interpolator. *)
From mathcomp Require Import all_ssreflect all_algebra.
From companion Require Import basics minimum_norm.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Peeling.
Variables (F : realFieldType) (n d : nat) (X : 'M[F]_(n, d)) (known : 'I_d -> Prop).

(* Peeling from what is known: a row that has feature i, all of whose other features are peeled, gives i. *)
Inductive peeled : 'I_d -> Prop :=
| taken_as_known i : known i -> peeled i
| told_by_row r i : X r i != 0 -> (forall j, j != i -> X r j != 0 -> peeled j) -> peeled i.

(* A set of features is closed if no row has exactly one feature outside it. *)
Definition closed (S : 'I_d -> Prop) := forall r i, X r i != 0 -> (forall j, j != i -> X r j != 0 -> S j) -> S i.

(* lem-peeling. (a) What peeling finds is closed, holds what is known, and is the smallest such set: the closure.
   Must fail: closed peeled ==> closed known *)
Theorem peeled_is_closure :
  [/\ closed peeled, forall i, known i -> peeled i
    & forall S : 'I_d -> Prop, closed S -> (forall i, known i -> S i) -> forall i, peeled i -> S i].
Proof.
split; [by move=> r i has others; apply: (told_by_row has) | exact: taken_as_known |].
move=> S shut holds; fix IH 2 => i [j /holds //|r j has others].
by apply: (shut r j has) => k ne in_row; apply/IH/others.
Qed.

(* lem-peeling. (c) If what is known lies in the row space, so does everything peeled.
   Must fail: (forall i, known i -> in_rows X (unit_at F i)) ->  ==> nothing *)
Theorem peeled_in_rows :
  (forall i, known i -> in_rows X (unit_at F i)) -> forall i, peeled i -> in_rows X (unit_at F i).
Proof.
move=> start; have [_ _ smallest] := peeled_is_closure; apply: smallest start => r i has others.
have -> : unit_at F i = (X r i)^-1 *: ((row r X)^T + (- 1) *: \sum_(j | j != i) X r j *: unit_at F j).
  apply/colP=> k; rewrite !mxE summxE /=.
  have [->|ne] := eqVneq k i.
    rewrite big1 ?mulr0 ?addr0 ?mulVf // => j ne; by rewrite !mxE eq_sym (negPf ne) mulr0.
  rewrite (bigD1 k) //= big1 ?addr0 => [|j /andP[_ away]]; last by rewrite !mxE eq_sym (negPf away) mulr0.
  by rewrite !mxE !eqxx mulr1 mulN1r subrr mulr0.
apply: in_rows_Z; apply: in_rows_D; first exact: in_rows_row.
apply: in_rows_Z; apply: in_rows_sum => j ne.
by have [->|in_row] := eqVneq (X r j) 0; [rewrite scale0r; exists 0; rewrite mulmx0 | apply/in_rows_Z/others].
Qed.

(* thm-any-interpolator. Every interpolator of noiseless labels is right on everything peeled.
   Must fail: (forall i, known i -> in_rows X (unit_at F i)) -> X *m b ==> X *m b *)
Theorem every_interpolator (beta b : 'cV_d) :
  (forall i, known i -> in_rows X (unit_at F i)) -> X *m b = X *m beta -> forall i, peeled i -> b i 0 = beta i 0.
Proof. by move=> start fits i /(peeled_in_rows start)/(certificate X beta) ->. Qed.

End Peeling.

(* lem-peeling. (b) More known features or more rows never make the closure smaller.
   Must fail: (forall r, exists q, row r X = row q Y) ->  ==> nothing *)
Theorem peeled_grows (F : realFieldType) n m d (X : 'M[F]_(n, d)) (Y : 'M[F]_(m, d)) (known more : 'I_d -> Prop) :
  (forall r, exists q, row r X = row q Y) -> (forall i, known i -> more i) ->
  forall i, peeled X known i -> peeled Y more i.
Proof.
move=> rows wider; have [_ _ smallest] := peeled_is_closure X known.
have [shut holds _] := peeled_is_closure Y more; apply: smallest => [r i has others|i /wider /holds //].
have [q same] := rows r; have entry j : X r j = Y q j by have := congr1 (fun A : 'rV_d => A 0 j) same; rewrite !mxE.
by apply: (shut q i) => [|j ne]; rewrite -entry //; apply: others.
Qed.
