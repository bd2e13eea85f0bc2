(* Columns, inner products, row and column spaces: what the statements of the book are made of.

   A design is a matrix X with a row for each example and a column for each feature, over any real field F: the rationals
   and the reals are two. Coefficients, labels and directions are columns. Nothing here uses an axiom. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Export Ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Columns.
Variable F : realFieldType.

(* The inner product of two columns, and the squared norm. *)
Definition dot d (u v : 'cV[F]_d) : F := \sum_i u i 0 * v i 0.
Definition norm2 d (u : 'cV[F]_d) : F := dot u u.

(* The unit column of place i. *)
Definition unit_at d (i : 'I_d) : 'cV[F]_d := delta_mx i 0.

Lemma dotC d (u v : 'cV_d) : dot u v = dot v u.
Proof. by apply: eq_bigr => i _; rewrite mulrC. Qed.

Lemma dotDl d (u v w : 'cV_d) : dot (u + v) w = dot u w + dot v w.
Proof. by rewrite /dot -big_split; apply: eq_bigr => i _; rewrite mxE mulrDl. Qed.

Lemma dotDr d (u v w : 'cV_d) : dot u (v + w) = dot u v + dot u w.
Proof. by rewrite dotC dotDl !(dotC _ u). Qed.

Lemma dotZl d a (u v : 'cV_d) : dot (a *: u) v = a * dot u v.
Proof. by rewrite /dot mulr_sumr; apply: eq_bigr => i _; rewrite mxE mulrA. Qed.

Lemma dotZr d a (u v : 'cV_d) : dot u (a *: v) = a * dot u v.
Proof. by rewrite dotC dotZl dotC. Qed.

Lemma dot0l d (u : 'cV_d) : dot 0 u = 0.
Proof. by rewrite /dot big1 // => i _; rewrite mxE mul0r. Qed.

Lemma dotBl d (u v w : 'cV_d) : dot (u - v) w = dot u w - dot v w.
Proof. by rewrite -scaleN1r dotDl dotZl mulN1r. Qed.

(* A matrix moves to the other side of an inner product transposed. *)
Lemma dot_mul n d (A : 'M[F]_(n, d)) u v : dot (A^T *m u) v = dot u (A *m v).
Proof.
rewrite /dot; under eq_bigr do rewrite mxE mulr_suml.
under [RHS]eq_bigr do rewrite mxE mulr_sumr.
rewrite exchange_big; apply: eq_bigr => r _; apply: eq_bigr => i _.
by rewrite mxE mulrCA mulrA.
Qed.

Lemma dot_unit d (i : 'I_d) u : dot (unit_at i) u = u i 0.
Proof.
rewrite /dot (bigD1 i) //= !mxE !eqxx mul1r big1 ?addr0 // => j ne.
by rewrite mxE (negPf ne) mul0r.
Qed.

Lemma norm2_ge0 d (u : 'cV_d) : 0 <= norm2 u.
Proof. by apply: sumr_ge0 => i _; rewrite -expr2 sqr_ge0. Qed.

Lemma norm2_eq0 d (u : 'cV_d) : (norm2 u == 0) = (u == 0).
Proof.
apply/idP/eqP=> [|->]; last by rewrite /norm2 dot0l.
rewrite psumr_eq0 => [/allP zero|i _]; last by rewrite -expr2 sqr_ge0.
apply/colP=> i; rewrite mxE; apply/eqP.
by have := zero i (mem_index_enum i); rewrite mulf_eq0 orbb.
Qed.

(* Pythagoras. *)
Lemma norm2D d (u v : 'cV_d) : dot u v = 0 -> norm2 (u + v) = norm2 u + norm2 v.
Proof. by move=> right; rewrite /norm2 dotDl !dotDr right (dotC v u) right addr0 add0r. Qed.

(* A column is in the row space of X if it is a combination of the rows: X^T w for some weights w. *)
Definition in_rows n d (X : 'M[F]_(n, d)) (u : 'cV_d) := exists w : 'cV_n, u = X^T *m w.

(* ... which is MathComp's own notion. *)
Lemma in_rowsP n d (X : 'M[F]_(n, d)) u : in_rows X u <-> (u^T <= X)%MS.
Proof.
split=> [[w ->]|/submxP[D eq]]; first by rewrite trmx_mul trmxK submxMl.
by exists D^T; rewrite -trmx_mul -eq trmxK.
Qed.

Lemma in_rows_D n d (X : 'M[F]_(n, d)) u v : in_rows X u -> in_rows X v -> in_rows X (u + v).
Proof. by move=> [a ->] [b ->]; exists (a + b); rewrite mulmxDr. Qed.

Lemma in_rows_Z n d (X : 'M[F]_(n, d)) a u : in_rows X u -> in_rows X (a *: u).
Proof. by move=> [w ->]; exists (a *: w); rewrite scalemxAr. Qed.

Lemma in_rows_sum n d (X : 'M[F]_(n, d)) (I : finType) (P : pred I) (u : I -> 'cV_d) :
  (forall i, P i -> in_rows X (u i)) -> in_rows X (\sum_(i | P i) u i).
Proof.
move=> each; elim/big_ind: _ => //; first by exists 0; rewrite mulmx0.
exact: in_rows_D.
Qed.

Lemma in_rows_row n d (X : 'M[F]_(n, d)) r : in_rows X (row r X)^T.
Proof. by exists (unit_at r); rewrite rowE trmx_mul trmx_delta. Qed.

(* What lies in the row space and is sent to 0 is 0. *)
Lemma in_rows_ker n d (X : 'M[F]_(n, d)) u : in_rows X u -> X *m u = 0 -> u = 0.
Proof.
move=> [w eq] null; apply/eqP; rewrite -norm2_eq0.
by rewrite /norm2 {1}eq dot_mul null dotC dot0l.
Qed.

(* X u = 0 for all u that the row space is orthogonal to, and only those: a column that every null vector is
   orthogonal to lies in the row space. *)
Lemma in_rows_orthogonal n d (X : 'M[F]_(n, d)) u :
  (forall z, X *m z = 0 -> dot u z = 0) -> in_rows X u.
Proof.
move=> orth; apply/in_rowsP; rewrite submxE; apply/eqP/rowP=> j; rewrite mxE.
have /orth null : X *m col j (cokermx X) = 0 by rewrite colE mulmxA mulmx_coker mul0mx.
by rewrite !mxE -[RHS]null; apply: eq_bigr => i _; rewrite !mxE.
Qed.

End Columns.

(* Coq's own decision procedure for commutative rings, `ring`, told about F; sections that use it say so. *)
Definition ring_rules (F : realFieldType) :
  @ring_theory (GRing.Zmodule.sort F) (0 : F) (1 : F) (@GRing.add F) (@GRing.mul F) (fun a b : F => a - b)
    (@GRing.opp F) eq.
Proof.
split; [exact: add0r | exact: addrC | exact: addrA | exact: mul1r | exact: mulrC | exact: mulrA | exact: mulrDl | by []
  | exact: subrr].
Qed.
