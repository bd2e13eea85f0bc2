(* Minimum norm, the certificate, memorized rows, the budget, and leaving one row out. *)
From mathcomp Require Import all_ssreflect all_algebra.
From companion Require Import basics.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Minimum_norm.
Variables (F : realFieldType) (n d : nat) (X : 'M[F]_(n, d)).

(* The least-squares solutions are the solutions of the normal equations. *)
Definition least_squares (y : 'cV_n) (b : 'cV_d) := X^T *m (X *m b - y) = 0.

(* The minimum-norm solution is the least-squares solution in the row space (the first theorem says why). *)
Definition minimum_norm y b := least_squares y b /\ in_rows X b.

(* A solution of the normal equations has the least squared error. *)
Theorem least_squares_is_least y b c : least_squares y b -> norm2 (X *m b - y) <= norm2 (X *m c - y).
Proof.
move=> normal; have -> : X *m c - y = (X *m b - y) + X *m (c - b) by rewrite mulmxBr [RHS]addrC addrA subrK.
rewrite [Z in _ <= Z]norm2D; first by rewrite ler_addl norm2_ge0.
by rewrite -dot_mul normal dot0l.
Qed.

(* thm-gradient-descent. Of all least-squares solutions the one in the row space has the smallest norm, and it alone.
   Must fail: minimum_norm y b -> least_squares y c ==> least_squares y b -> least_squares y c *)
Theorem minimum_norm_is_least y b c :
  minimum_norm y b -> least_squares y c -> norm2 b <= norm2 c ?= iff (b == c).
Proof.
move=> [solved [w eq]] solves; set z := c - b.
have null : X *m z = 0.
  apply/eqP; rewrite -norm2_eq0 /norm2 -dot_mul.
  have -> : X *m z = (X *m c - y) - (X *m b - y) by rewrite opprB addrA subrK mulmxBr.
  by rewrite mulmxBr solves solved subr0 dot0l.
have right : dot b z = 0 by rewrite eq dot_mul null dotC dot0l.
have -> : c = b + z by rewrite addrC subrK.
rewrite norm2D //; split; first by rewrite ler_addl norm2_ge0.
by rewrite -{1}[norm2 b]addr0 -{3}[b]addr0 !(inj_eq (addrI _)) ![0 == _]eq_sym norm2_eq0.
Qed.

Corollary minimum_norm_unique y b c : minimum_norm y b -> minimum_norm y c -> b = c.
Proof.
move=> one [solves rows]; apply/eqP; rewrite -(minimum_norm_is_least one solves).
by rewrite eq_le (minimum_norm_is_least one solves).1 (minimum_norm_is_least (conj solves rows) one.1).1.
Qed.

(* thm-certificate. (b) and (c): feature i is in the row space if and only if every interpolator of noiseless labels is right on it.
   Must fail: b i 0 = beta i 0 ==> b i 0 = 0 *)
Theorem certificate (beta : 'cV_d) i :
  in_rows X (unit_at F i) <-> (forall b, X *m b = X *m beta -> b i 0 = beta i 0).
Proof.
split=> [[w eq] b fits|right].
  by rewrite -!(dot_unit i) eq !dot_mul fits.
apply: in_rows_orthogonal => z null; rewrite dot_unit.
have /right : X *m (beta + z) = X *m beta by rewrite mulmxDr null addr0.
by rewrite mxE -{2}[beta i 0]addr0 => /addrI.
Qed.

End Minimum_norm.

Section Projections.
Variables (F : realFieldType) (n d : nat) (X : 'M[F]_(n, d)).

(* P is the orthogonal projection on the row space of a matrix. *)
Definition projects (m k : nat) (A : 'M[F]_(m, k)) (P : 'M[F]_k) := [/\ P^T = P, P *m P = P & (P :=: A)%MS].

Lemma projects_fixes m k (A : 'M[F]_(m, k)) P (u : 'cV_k) : projects A P -> in_rows A u <-> P *m u = u.
Proof.
move=> [sym idem eqA]; rewrite in_rowsP -eqA; split=> [/submxP[D eq]|<-].
  by rewrite -[u]trmxK eq trmx_mul mulmxA sym idem.
by rewrite trmx_mul sym submxMl.
Qed.

(* P_ii = 1 exactly on the directions that the projection leaves alone. *)
Lemma projects_diagonal m k (A : 'M[F]_(m, k)) P i : projects A P -> P i i = 1 <-> in_rows A (unit_at F i).
Proof.
move=> proj; rewrite (projects_fixes _ proj); case: proj => sym idem _.
set e := unit_at F i; have entry : dot e (P *m e) = P i i by rewrite dot_unit -colE mxE.
split=> [one|fixed]; last by rewrite -entry fixed dot_unit mxE !eqxx.
have square : norm2 (P *m e) = P i i by rewrite /norm2 -{1}sym dot_mul mulmxA idem.
have : norm2 (e - P *m e) = 0.
  rewrite /norm2 -scaleN1r dotDl !dotDr !dotZl !dotZr (dotC (P *m e) e) entry -/(norm2 (P *m e)) square one.
  by rewrite dot_unit mxE !eqxx mulr1 mulN1r opprK subrr add0r addNr.
by move/eqP; rewrite norm2_eq0 subr_eq0 => /eqP.
Qed.

(* thm-certificate. (a) and (b): the same by the diagonal entry of the projection on the row space.
   Must fail: P i i = 1 ==> P i i != 0 *)
Theorem certificate_diagonal P i : projects X P -> P i i = 1 <-> in_rows X (unit_at F i).
Proof. exact: projects_diagonal. Qed.

(* thm-memorized-row. (a) and (b): a row has leverage 1 if and only if it is fitted whatever the labels.
   Must fail: H r r = 1 ==> H r r != 0 *)
Theorem memorized_row_fits H r : projects X^T H -> H r r = 1 <-> (forall y : 'cV_n, (H *m y) r 0 = y r 0).
Proof.
move=> proj; rewrite (projects_diagonal _ proj) (projects_fixes _ proj); case: proj => sym _ _.
split=> [fixed y|fits]; first by rewrite -!(dot_unit r) -dot_mul sym fixed.
by apply/colP=> q; rewrite -(dot_unit q) -dot_mul sym dotC dot_unit fits !mxE eq_sym.
Qed.

(* thm-memorized-row. (a) and (c): ... if and only if it is not a combination of the other rows.
   Must fail: row' r X ==> X *)
Theorem memorized_row_stands_alone H r :
  projects X^T H -> H r r = 1 <-> ~~ (row r X <= row' r X)%MS.
Proof.
move=> proj; rewrite (projects_diagonal _ proj); split=> [[u eq]|alone].
  have entry q : (X *m u) q 0 = (q == r)%:R by rewrite -[X]trmxK -eq mxE eqxx andbT.
  apply/negP=> /submxP[D combined]; have := entry r.
  have -> : (X *m u) r 0 = (row r X *m u) 0 0 by rewrite -row_mul [RHS]mxE.
  have others : row' r X *m u = 0.
    apply/colP=> q; rewrite [RHS]mxE; have := entry (lift r q); rewrite [lift _ _ == r]eq_sym (negPf (neq_lift _ _)) => zero; rewrite -[RHS]zero.
    by rewrite !mxE; apply: eq_bigr => j _; rewrite mxE.
  by rewrite combined -mulmxA others mulmx0 mxE eqxx => /eqP; rewrite eq_sym oner_eq0.
apply: in_rows_orthogonal => w; rewrite dot_unit => null; apply/eqP; apply: contraNT alone => nonzero.
have -> : row r X = \sum_q (- (w (lift r q) 0 / w r 0)) *: row q (row' r X).
  apply/rowP=> j; rewrite summxE; apply: (mulfI nonzero); rewrite mulr_sumr.
  have := congr1 (fun A : 'cV_d => A j 0) null; rewrite !mxE (bigD1_ord r) //= !mxE mulrC => /eqP.
  rewrite addr_eq0 => /eqP ->; rewrite -sumrN; apply: eq_bigr => q _.
  by rewrite !mxE mulrA mulrN mulrCA mulfV // mulr1 mulNr [X _ _ * _]mulrC.
by apply: summx_sub => q _; rewrite scalemx_sub // row_sub.
Qed.

(* thm-memorized-row. A row that holds a feature of which no other row has any is memorized.
   Must fail: (forall q, q != r -> X q i = 0) ->  ==> nothing *)
Theorem once_seen_is_memorized H r i :
  projects X^T H -> X r i != 0 -> (forall q, q != r -> X q i = 0) -> H r r = 1.
Proof.
move=> proj nonzero once; apply/(projects_diagonal _ proj); rewrite -[unit_at _ _]scale1r -(mulVf nonzero) -scalerA.
apply: in_rows_Z; exists (unit_at F i); rewrite trmxK -colE; apply/colP=> q; rewrite !mxE.
by have [->|/once ->] := eqVneq q r; rewrite ?mulr1 ?mulr0.
Qed.

(* The budget: what is resolved on the side of the features is fitted on the side of the rows. *)
Lemma trace_projection k (P : 'M[F]_k) : P *m P = P -> \tr P = (\rank P)%:R.
Proof.
move=> idem; rewrite -{1}(mulmx_base P) mxtrace_mulC.
suff -> : row_base P *m col_base P = 1%:M by rewrite mxtrace1.
apply: (row_full_inj (col_base_full P)); apply: (row_free_inj (row_base_free P)).
by rewrite mulmx1 -[_ *m _ *m row_base P]mulmxA -[row_base P *m _ *m _]mulmxA mulmxA !mulmx_base idem.
Qed.

(* prop-budget. What is resolved on the side of the features is fitted on the side of the rows: both traces are the rank.
   Must fail: \tr H = (\rank X)%:R ==> \tr H = n%:R *)
Theorem budget P H : projects X P -> projects X^T H -> \tr P = (\rank X)%:R /\ \tr H = (\rank X)%:R.
Proof.
by move=> [_ idemP eqP] [_ idemH eqH]; rewrite !trace_projection // eqP eqH mxrank_tr.
Qed.

End Projections.
