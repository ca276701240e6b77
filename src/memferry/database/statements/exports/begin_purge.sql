-- Take the tenant's turn at erasing until the transaction ends: exports that are being added are waited for, and
-- those that come later see what is deleted now.
UPDATE tenant SET erasures = erasures + 1 RETURNING erasures
