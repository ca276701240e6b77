-- Sign out. A digest that is not there is signed out already.
DELETE FROM sign_ins WHERE sha256 = $1 AND NOT is_link
